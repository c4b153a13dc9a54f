/** The one of `known` that takes the fewest letters put in, left out or changed to make out of `word` (Levenshtein's distance). */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const [best] = known.map((name) => ({ name, distance: distanceBetween(word, name) })).toSorted((one, other) => one.distance - other.distance);
  return best?.name;
}

function distanceBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let down = 1; down <= one.length; down++) {
    const next = [down];
    for (let across = 1; across <= other.length; across++) {
      const changed = row[across - 1]! + (one[down - 1] === other[across - 1] ? 0 : 1);
      next.push(Math.min(changed, row[across]! + 1, next[across - 1]! + 1));
    }
    row = next;
  }
  return row[other.length]!;
}
