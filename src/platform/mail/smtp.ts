import { seconds } from '../durations.ts';
import { parseEmailAddress } from './address.ts';
import { CONNECTIONS_MOST, PermanentMailError, type Transport } from './mail.ts';
import type { Addressee } from './message.ts';

/** `url`: smtp://user:password@host:587 or smtps://…; TLS is demanded except of a server on this machine. */
export function smtpTransport(url: string, from: Addressee, options: { ca?: string } = {}): Transport {
  const { protocol, hostname, port, username, password } = new URL(url);
  const secure = protocol === 'smtps:';
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  const auth = username === '' ? {} : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } };
  // Loaded with the first mail, since it takes a while: that pages are answered need not wait for it.
  const open = async () => {
    const { createTransport } = await import('nodemailer');
    return createTransport({
      pool: true,
      maxConnections: CONNECTIONS_MOST,
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? (secure ? 465 : 587) : Number(port),
      secure,
      requireTLS: !secure && !local,
      ...auth,
      tls: { minVersion: 'TLSv1.2', ...(options.ca === undefined ? {} : { ca: options.ca }) },
      // With these a conversation (connecting, greeting, and six commands) can't outlast the lease of a mail, see mail.ts.
      connectionTimeout: seconds(10),
      greetingTimeout: seconds(10),
      socketTimeout: seconds(30),
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  };
  let opened: ReturnType<typeof open> | undefined;
  return {
    keepsSent: false,
    async send({ to, subject, text, html, messageId }) {
      // Checked again here: a string would be read as a list of recipients.
      if (!parseEmailAddress(to.address)) throw new PermanentMailError('The address is not one.');
      try {
        const pool = await (opened ??= open());
        await pool.sendMail({
          from: { name: from.name, address: from.address },
          to: { name: to.name.replace(/[\r\n]+/g, ' '), address: to.address },
          subject: subject.replace(/[\r\n]+/g, ' '),
          text,
          html,
          messageId,
          headers: { 'Auto-Submitted': 'auto-generated' },
        });
      } catch (error) {
        const { responseCode, message } = error as { responseCode?: number; message: string };
        // 5xx to the recipient is for good; to the login it is the operator's to mend, and the mail waits.
        if (responseCode !== undefined && responseCode >= 550 && responseCode <= 559) throw new PermanentMailError(message);
        throw error;
      }
    },
    close: () => void opened?.then((pool) => pool.close()),
  };
}
