/**
 * A real Chromium for the browser tests: npm's own, unpacked once, or the one that `CHROMIUM=/usr/bin/chromium` names.
 * Of @sparticuz/chromium only the files are used: its own start-up flags switch web security off, and its own unpacking is
 * not safe for two processes at once.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, createReadStream, createWriteStream, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createBrotliDecompress } from 'node:zlib';
import { chromium, type Browser } from 'playwright-core';

/** Close it, or hold it by `await using`. */
export async function launchBrowser(): Promise<Browser> {
  const { executablePath, environment } = await findChromium();
  try {
    return await chromium.launch({ executablePath, args: FLAGS, env: { ...(process.env as Record<string, string>), ...environment } });
  } catch (cause) {
    throw new Error(`Chromium (${executablePath}) did not start.\n${HOW_TO_GET_IT}`, { cause });
  }
}

const FLAGS = [
  // The sandbox refuses to run as root and in most containers. The pages that are opened here are our own.
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const HOW_TO_GET_IT = `The tests run in a real Chromium. 'npm ci' brings one for Linux on x64. Elsewhere, or where it does not start, install Chromium or Chrome
and name it: CHROMIUM=/usr/bin/chromium npm test`;

interface Chromium {
  readonly executablePath: string;
  readonly environment: Record<string, string>;
}

async function findChromium(): Promise<Chromium> {
  const own = process.env['CHROMIUM'];
  if (own) {
    if (!existsSync(own)) throw new Error(`CHROMIUM names ${own}, which is not there.\n${HOW_TO_GET_IT}`);
    return { executablePath: own, environment: {} };
  }
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error(`npm has no Chromium for ${process.platform} on ${process.arch}.\n${HOW_TO_GET_IT}`);
  const directory = await unpacked();
  // Its libraries (nss, nspr) and fonts are for the browser alone.
  return { executablePath: path.join(directory, 'chromium'), environment: { LD_LIBRARY_PATH: path.join(directory, 'lib'), FONTCONFIG_PATH: directory } };
}

/** Unpacks into a folder of its own and renames that, so that a process that is killed or comes second does no harm. */
async function unpacked(): Promise<string> {
  const files = chromiumPackage();
  const { version } = JSON.parse(readFileSync(path.join(files, 'package.json'), 'utf8')) as { version: string };
  const directory = fileURLToPath(new URL(`../../node_modules/.cache/chromium-${version}`, import.meta.url));
  if (existsSync(directory)) return directory;

  const unfinished = `${directory}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  await Promise.all(
    ['chromium', ...ARCHIVES].map((name) =>
      pipeline(createReadStream(path.join(files, 'bin', `${name}.br`)), createBrotliDecompress(), createWriteStream(path.join(unfinished, name))),
    ),
  );
  chmodSync(path.join(unfinished, 'chromium'), 0o755);
  for (const archive of ARCHIVES) {
    const tar = spawnSync('tar', ['xf', archive], { cwd: unfinished, encoding: 'utf8' });
    if (tar.status !== 0) throw new Error(`Chromium could not be unpacked: tar: ${tar.error?.message ?? tar.stderr}\n${HOW_TO_GET_IT}`);
    rmSync(path.join(unfinished, archive));
  }
  writeFileSync(path.join(unfinished, 'fonts.conf'), FONTS);
  try {
    renameSync(unfinished, directory);
  } catch (error) {
    // Another process was first.
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(directory)) throw error;
  }
  return directory;
}

const ARCHIVES = ['al2023.tar', 'fonts.tar', 'swiftshader.tar'];

/** The package's own names a fixed temporary folder, and a browser that finds no font at all crashes its tabs. */
const FONTS = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir prefix="relative">fonts</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>
`;

function chromiumPackage(): string {
  try {
    return path.resolve(path.dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium'))), '..');
  } catch (cause) {
    throw new Error(`The package @sparticuz/chromium is not installed.\n${HOW_TO_GET_IT}`, { cause });
  }
}
