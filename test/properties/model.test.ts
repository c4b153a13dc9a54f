/**
 * Random sequences of everything that people, operators, thieves and the weather do, against the whole portal on both databases, beside a ledger of what
 * the mission promises (test/properties/model/). After each command: nobody is signed in who did not show what is asked for; no code is accepted
 * twice; what was disabled, removed or replaced opens nothing; under the policy nobody comes in without a second factor; every event is written
 * down once. After each sequence: whoever has a password and their Recovery Key gets in.
 */
import { test } from 'node:test';
import fc from 'fast-check';
import { replay, sequences } from '../support/property.ts';
import { assertNobodyIsLockedOut, begin, beginnings, commands } from './model/commands.ts';
import { Scene } from './model/scene.ts';

for (const [engine, count] of [
  ['sqlite', 12],
  ['postgres', 4],
] as const) {
  test(`the five flows of the mission, in any order and weather, on ${engine}`, async () => {
    await fc.assert(
      fc.asyncProperty(beginnings, fc.commands([...commands], { maxCommands: 200, size: 'max', ...replay() }), async (ways, sequence) => {
        await using scene = await Scene.open(engine);
        await begin(scene, ways);
        await fc.asyncModelRun(() => ({ model: scene.ledger, real: scene }), sequence);
        await assertNobodyIsLockedOut(scene);
      }),
      sequences(count),
    );
  });
}
