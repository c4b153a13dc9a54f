/**
 * Debian's slapd (OpenLDAP) as a directory, on ports of this machine and with settings of its own: another hand's LDAP, in another language. Not part of the tests,
 * since npm has no OpenLDAP: `scripts/slapd.ts` goes through it.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { localhostCertificate } from './localhost-certificate.ts';
import { freePort, listens, untilUp } from './ports.ts';

const SLAPD = '/usr/sbin/slapd';
export const IS_MISSING = !existsSync(SLAPD);
const BASE = 'dc=example,dc=org';
const SERVICE = { name: `cn=twinlock,${BASE}`, password: 'of the service account' };

/** Of everybody: `password of UID`. What each is for, their names say. */
const PEOPLE: Readonly<Record<string, string>> = {
  // As the overlay would write it, did the group come while it runs.
  ada: `memberOf: cn=Engineers,${BASE}\n`,
  locked: 'pwdAccountLockedTime: 000001010000Z\n',
  bob: '',
  reset: 'pwdReset: TRUE\n',
  grace: `pwdChangedTime: 20200101000000Z\npwdPolicySubentry: cn=strict,${BASE}\n`,
  expired: `pwdChangedTime: 20200101000000Z\npwdPolicySubentry: cn=stricter,${BASE}\n`,
};

export class Slapd implements AsyncDisposable {
  /** All that an administrator would type, over ldaps. */
  readonly settings: Readonly<Record<string, string | boolean>>;
  /** In plain text at first. */
  readonly startTls: string;
  readonly #directory: string;
  readonly #process: ChildProcess;
  #log = '';

  private constructor({ directory, ports, slapd }: { directory: string; ports: readonly [number, number]; slapd: ChildProcess }) {
    this.settings = {
      directory: 'ldap',
      address: `ldaps://localhost:${ports[0]}`,
      unencrypted: false,
      authority: localhostCertificate.certificate,
      base: `ou=people,${BASE}`,
      serviceName: SERVICE.name,
      servicePassword: SERVICE.password,
    };
    this.startTls = `ldap://localhost:${ports[1]}`;
    this.#directory = directory;
    this.#process = slapd;
    slapd.stderr!.setEncoding('utf8').on('data', (text: string) => (this.#log += text));
  }

  static async start(): Promise<Slapd> {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'slapd-'));
    const settings = writeSettings(directory);
    const added = spawnSync('/usr/sbin/slapadd', ['-f', settings, '-l', path.join(directory, 'people.ldif')], { encoding: 'utf8' });
    if (added.status !== 0) throw new Error(`slapd does not take its people.\n${added.stderr}`);
    const ports = [await freePort('localhost'), await freePort('localhost')] as const;
    const slapd = spawn(SLAPD, ['-d', '0', '-f', settings, '-h', `ldaps://localhost:${ports[0]}/ ldap://localhost:${ports[1]}/`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const started = new Slapd({ directory, ports, slapd });
    await untilUp(async () => (await Promise.all(ports.map(listens))).every(Boolean), { name: 'slapd', log: () => started.#log });
    return started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill();
    await once(this.#process, 'exit');
    rmSync(this.#directory, { recursive: true });
  }
}

function writeSettings(directory: string): string {
  const file = (name: string, text: string): string => {
    const at = path.join(directory, name);
    writeFileSync(at, text, { mode: 0o600 });
    return at;
  };
  mkdirSync(path.join(directory, 'database'));
  const schemas = ['core', 'cosine', 'inetorgperson'].map((name) => `include /etc/ldap/schema/${name}.schema`);
  file('people.ldif', peopleLdif());
  return file(
    'slapd.conf',
    `${schemas.join('\n')}
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
moduleload memberof
pidfile ${path.join(directory, 'pid')}
TLSCertificateFile ${file('certificate.pem', localhostCertificate.certificate)}
TLSCertificateKeyFile ${file('key.pem', localhostCertificate.key)}
disallow bind_anon
database mdb
suffix "${BASE}"
rootdn "cn=admin,${BASE}"
directory ${path.join(directory, 'database')}
overlay memberof
overlay ppolicy
ppolicy_default "cn=policy,${BASE}"
access to attrs=userPassword by anonymous auth by * none
access to * by dn="${SERVICE.name}" read by * none
`,
  );
}

function peopleLdif(): string {
  const entry = (name: string, text: string): string => `dn: ${name}\n${text}\n`;
  const person = (uid: string, more: string): string =>
    entry(
      `uid=${uid},ou=people,${BASE}`,
      `objectClass: inetOrgPerson\nuid: ${uid}\ncn: ${uid} Example\nsn: Example\nmail: ${uid}@example.org\nuserPassword: password of ${uid}\n${more}`,
    );
  const policy = (name: string, more: string): string =>
    entry(`cn=${name},${BASE}`, `objectClass: person\nobjectClass: pwdPolicy\ncn: ${name}\nsn: policy\npwdAttribute: userPassword\n${more}`);
  return [
    entry(BASE, 'objectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n'),
    entry(SERVICE.name, `objectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: twinlock\nuserPassword: ${SERVICE.password}\n`),
    policy('policy', 'pwdLockout: TRUE\npwdMaxFailure: 3\npwdLockoutDuration: 0\npwdMustChange: TRUE\n'),
    policy('strict', 'pwdMaxAge: 86400\npwdGraceAuthNLimit: 5\n'),
    policy('stricter', 'pwdMaxAge: 86400\npwdGraceAuthNLimit: 0\n'),
    entry(`ou=people,${BASE}`, 'objectClass: organizationalUnit\nou: people\n'),
    ...Object.entries(PEOPLE).map(([uid, more]) => person(uid, more)),
    entry(`cn=Engineers,${BASE}`, `objectClass: groupOfNames\ncn: Engineers\nmember: uid=ada,ou=people,${BASE}\n`),
  ].join('\n');
}
