/** False for text with control characters, line ends, or marks that turn the direction of what stands around it. */
export const canBeShown = (text: string): boolean => !/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(text);
