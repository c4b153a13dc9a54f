/** A mail before it is laid out: `mail/mail.ts` makes the plain and the HTML form from the same parts. */
export interface Message {
  readonly to: Addressee;
  /** Never holds a code. */
  readonly subject: string;
  /** Stands first in the text, so that a phone's notification shows it. */
  readonly code: string | undefined;
  /** Paragraphs of plain sentences. */
  readonly paragraphs: readonly string[];
  /** A button: where to go. The address starts with the configured origin. */
  readonly link: { readonly label: string; readonly url: string } | undefined;
  /** From where it was asked; undefined for what no browser asked. */
  readonly asked: Asked | undefined;
  /** What to do if it was not them. */
  readonly notYou: string;
  /** Worthless after this moment and then not sent any more; epoch milliseconds. */
  readonly expiresAt: number | undefined;
}

export interface Addressee {
  readonly name: string;
  readonly address: string;
}

export interface Asked {
  readonly userAgent: string;
  readonly address: string;
  /** Epoch milliseconds. */
  readonly at: number;
}
