/** The cookies of one browser on one site. Secure is not looked at: the tests speak to the app without TLS. */
export class CookieJar {
  readonly #values = new Map<string, string>();

  /** Takes the Set-Cookie headers of an answer, deletions included. */
  receive(headers: readonly string[]): void {
    for (const header of headers) {
      const [pair = '', ...attributes] = header.split(';').map((part) => part.trim());
      const equals = pair.indexOf('=');
      const name = pair.slice(0, equals);
      if (attributes.some(deletes)) this.#values.delete(name);
      else this.#values.set(name, pair.slice(equals + 1));
    }
  }

  /** The Cookie header, or undefined where there is none to send. */
  header(): string | undefined {
    if (this.#values.size === 0) return undefined;
    return [...this.#values].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  /** As somebody does who stole or forged one. */
  set(name: string, value: string): void {
    this.#values.set(name, value);
  }

  delete(name: string): void {
    this.#values.delete(name);
  }

  clear(): void {
    this.#values.clear();
  }

  get names(): readonly string[] {
    return [...this.#values.keys()];
  }
}

function deletes(attribute: string): boolean {
  const [name = '', value = ''] = attribute.split('=');
  if (/^max-age$/i.test(name)) return Number(value) <= 0;
  // The app's clock is the test's; only what is far in the past is a deletion.
  return /^expires$/i.test(name) && Date.parse(value) < Date.UTC(2000, 0, 1);
}
