// Every command, in the order of the help and of the README.
import { createOwner, issueBypass, transferOwnership } from './admin.ts';
import { addAppCommand, listAppsCommand, removeAppCommand } from './apps.ts';
import { checkpointAudit, verifyAudit } from './audit.ts';
import type { Command } from './command.ts';
import { exportAudit, exportPeople } from './export.ts';
import { rotateKeys } from './keys.ts';
import { migrate } from './migrate.ts';
import { setPolicy, showPolicy } from './policy.ts';
import { restored } from './restored.ts';
import { serve } from './serve.ts';

export const COMMANDS: readonly Command[] = [
  serve,
  migrate,
  rotateKeys,
  restored,
  showPolicy,
  setPolicy,
  createOwner,
  transferOwnership,
  issueBypass,
  exportPeople,
  exportAudit,
  verifyAudit,
  checkpointAudit,
  listAppsCommand,
  addAppCommand,
  removeAppCommand,
];
