import { readFileSync } from 'node:fs';
import type { Broken, Checkpoint } from '../audit/audit.ts';
import { JSON_OPTION, Misunderstanding, say, sayProgress, textOf, withWorld, type Command } from './command.ts';

export const verifyAudit: Command = {
  name: 'audit verify',
  options: {
    checkpoint: { value: 'FILE', does: "Holds the log against what 'twinlock audit checkpoint' printed." },
    ...JSON_OPTION,
  },
  does: 'Prove that the audit log is as it was written; names the first entry that is not.',
  async run(given) {
    const { checkpointShape, verifyChain } = await import('../audit/audit.ts');
    const file = textOf(given, 'checkpoint');
    const checkpoint = file === undefined ? undefined : readCheckpoint(file, checkpointShape.parse);
    await withWorld(async (world) => {
      const progress = (entries: number): void => sayProgress(`${entries} entries read`);
      const verified = await verifyChain(world, { progress, ...(checkpoint && { checkpoint }) });
      if (!verified.ok && given.options['json'] === true) given.answer('', verified);
      if (!verified.ok) throw new Error(`The audit log is not as it was written. Entry ${verified.sequence}: ${BROKEN[verified.reason]}`);
      const waiting = verified.unchained > 0 ? `, and ${verified.unchained} of the last moments that are not chained yet` : '';
      const begins = verified.first > 1 ? `, from number ${verified.first} on; older ones were removed, as the retention that was set says` : '';
      given.answer(`The audit log is as it was written: ${verified.entries} entries${begins}${waiting}. Its end: ${verified.head}`, verified);
      if (verified.checkpointIsPast)
        throw new Error(
          `The checkpoint is of this installation, but of entry ${checkpoint!.sequence}, which was removed since: it can't be compared. Make a new one from time to time.`,
        );
    });
  },
};

export const checkpointAudit: Command = {
  name: 'audit checkpoint',
  does: "Print a signed checkpoint of the audit log, to be kept where the operator can't change it.",
  async run() {
    const { makeCheckpoint } = await import('../audit/audit.ts');
    await withWorld(async (world) => {
      const made = await makeCheckpoint(world);
      if (!made) throw new Error('The audit log is empty: there is nothing to keep yet.');
      say(`${JSON.stringify(made, null, 2)}\n`);
    });
  },
};

const BROKEN: Readonly<Record<Broken, string>> = {
  changed: 'something in it was changed, or it was put there later.',
  missing: 'it was removed.',
  'beginning-changed': 'the mark of where the log begins was not signed by this installation.',
  'end-changed': 'the mark of the end of the log does not fit it.',
  'end-missing': 'the mark of the end of the log was removed.',
  'checkpoint-differs': 'it is another one than when the checkpoint was made: the log was rewritten.',
  'checkpoint-not-signed': 'the checkpoint for it was not signed by this installation.',
};

function readCheckpoint(file: string, parse: (value: unknown) => Checkpoint): Checkpoint {
  try {
    return parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new Misunderstanding(`The file ${file} is no checkpoint that 'twinlock audit checkpoint' printed.`, { cause });
  }
}
