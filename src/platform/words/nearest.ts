/** The one of `known` that is made out of `word` by the fewest letters put in or left out; changing one is both. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  // Who left something off the end meant the whole.
  const whole = known.find((name) => name.startsWith(word));
  return whole ?? known.toSorted((one, other) => distanceBetween(word, one) - distanceBetween(word, other))[0];
}

function distanceBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let down = 1; down <= one.length; down++) {
    const next = [down];
    for (let across = 1; across <= other.length; across++) {
      const changed = row[across - 1]! + (one[down - 1] === other[across - 1] ? 0 : 2);
      next.push(Math.min(changed, row[across]! + 1, next[across - 1]! + 1));
    }
    row = next;
  }
  return row[other.length]!;
}
