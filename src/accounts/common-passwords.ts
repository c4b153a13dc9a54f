let loaded: Promise<(password: string) => boolean> | undefined;

/** The list of a package, some 49,000 passwords from leaks. Loaded when the first password is chosen: it takes 20 MB. */
export function isCommonPassword(): Promise<(password: string) => boolean> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<(password: string) => boolean> {
  const { dictionary } = await import('@zxcvbn-ts/language-common');
  const common = new Set(dictionary['passwords-common']);
  return (password) => common.has(password);
}
