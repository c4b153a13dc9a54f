import type { FactorWords } from '../contract.ts';

export const words: FactorWords = {
  name: 'Authenticator app',
  enable: 'Enable With Authenticator App',
  invitation: 'Enter the six digits that the app on your phone shows.',
  label: 'Verification code',
  caution: undefined,
  refusal(reason) {
    switch (reason) {
      case 'code-malformed':
        return 'The code has six digits. Enter the ones that your app shows now.';
      case 'code-used':
        return 'That code was used already. Wait until your app shows a new one, and enter that.';
      case 'code-expired':
        return 'This QR code was shown more than ten minutes ago, so it no longer counts. Press “Back”, then scan the new one.';
      case 'code-wrong':
        return 'That code was not right. Codes change every 30 seconds: wait for a new one and try again. If it goes on, check that your phone sets its time by itself.';
    }
  },
};
