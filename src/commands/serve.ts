import { reasonOf } from '../platform/reason.ts';
import { settingsFrom, say, type Command, type Given } from './command.ts';

export const serve: Command = {
  name: 'serve',
  options: { development: { does: 'To try it out: http://localhost:3000, and mail is shown at /dev/mail unless TWINLOCK_SMTP_URL is set.' } },
  does: 'Start the portal. Wants TWINLOCK_ORIGIN (https) and TWINLOCK_SMTP_URL, or --development to be tried out.',
  run: startServing,
};

async function startServing({ options }: Given): Promise<void> {
  const development = options['development'] === true;
  const settings = settingsFrom({ development, serving: true });
  const { startPortal } = await import('../main.ts');
  const portal = await startPortal(settings);
  if (development) {
    say(`\n  ${settings.name} is ready: open ${settings.origin}\n`);
    if (settings.smtpUrl === undefined) say(`  Mail is not sent but shown: ${settings.origin}/dev/mail\n`);
    say(`  Data: ${settings.dataDirectory}   Stop: Ctrl+C\n\n`);
  }
  const failed = (error: unknown): void => {
    process.stderr.write(`${reasonOf(error)}\n`);
    process.exitCode = 1;
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void portal.stop().then(() => process.exit(0), failed));
  }
  const { makeSetUpLink } = await import('../organisations/organisations.ts');
  const link = await makeSetUpLink(portal.world);
  // Where it runs for real, the standard output is a log, which others may read.
  if (link !== undefined)
    (development ? process.stdout : process.stderr).write(`  Nobody looks after this portal yet. Whoever opens this first can:\n  ${link}\n\n`);
}
