import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'node-html-parser';
import { checkHtml } from '../../../test/support/html-check.ts';
import { button, checkbox, codeField, form, linkButton, mistakes, notice, passwordField, select, textField } from './forms.ts';
import { html } from './html.ts';
import { alonePage, dialogPage, settingsPage } from './layout.ts';

const card = { installationName: 'Example Ltd', language: 'en', title: 'A page' };
const signedIn = { name: 'Ada Example', email: 'ada@example.com', formToken: 'token' };
const settings = { ...card, signedIn, current: 'security', body: html`<p>Body</p>` } as const;
const read = (page: { toString(): string }) => parse(page.toString());

describe('pages', () => {
  test('each frame is valid HTML with one heading, its title, and nothing inline', () => {
    const body = html`${notice({ kind: 'bad', text: 'No.' })}${form({ action: '/a', formToken: 't', body: button({ label: 'Go', main: true }) })}`;
    for (const page of [alonePage({ ...card, body }), dialogPage({ ...card, body, progress: { at: 2, of: 3 } }), settingsPage({ ...settings, body })]) {
      checkHtml(page.toString(), 'a frame');
      const root = read(page);
      assert.deepEqual(
        root.querySelectorAll('h1').map((one) => one.text),
        ['A page'],
      );
      assert.equal(root.querySelector('title')!.text, 'A page · Example Ltd');
      assert.equal(root.querySelector('html')!.getAttribute('lang'), 'en');
      assert.equal(root.querySelectorAll('main').length, 1);
      assert.deepEqual(root.querySelectorAll('[style], style, script:not([src])'), []);
    }
  });

  test('the steps say where one is', () => {
    const steps = read(alonePage({ ...card, body: 'x', progress: { at: 2, of: 3 } })).querySelector('ol')!;
    assert.equal(steps.getAttribute('aria-label'), 'Step 2 of 3');
    assert.deepEqual(
      steps.querySelectorAll('li').map((one) => one.getAttribute('aria-current')),
      [undefined, 'step', undefined],
    );
  });

  test('every page of a signed-in person has the profile menu, with "Manage Account" and "Sign out", and signing out is a form', () => {
    for (const page of [settingsPage(settings), alonePage({ ...card, signedIn, body: 'x' }), dialogPage({ ...card, signedIn, body: 'x' })].map(read)) {
      const profile = page.querySelector('button[aria-label=Profile]')!;
      const menu = page.querySelector(`#${profile.getAttribute('popovertarget')}`)!;
      assert.ok(menu.hasAttribute('popover'));
      assert.equal(menu.querySelector('a')!.text, 'Manage Account');
      assert.equal(menu.querySelector('a')!.getAttribute('href'), '/account');
      const signOut = menu.querySelector('form')!;
      assert.equal(`${signOut.getAttribute('method')} ${signOut.getAttribute('action')}`, 'post /sign-out');
      assert.equal(signOut.querySelector('input')!.getAttribute('value'), 'token');
      assert.equal(signOut.querySelector('button')!.text, 'Sign out');
    }
  });

  test('one section is the current one', () => {
    const current = read(settingsPage(settings)).querySelectorAll('nav [aria-current=page]');
    assert.deepEqual(
      current.map((one) => one.text),
      ['Security and Credentials'],
    );
  });

  test('initials of any name, whatever it is written in', () => {
    const initials = (name: string) =>
      read(settingsPage({ ...settings, signedIn: { ...signedIn, name } }))
        .querySelector('button[aria-label=Profile]')!
        .getAttribute('data-initials');
    for (const [name, wanted] of [
      ['Ada Example', 'AE'],
      ['ada de la example', 'AE'],
      ['Ada', 'A'],
      ['', ''],
      ['  ', ''],
      ['李 小龍', '李小'],
      ['🦊 fox', '🦊F'],
      ['<b> "x"', '<"'],
    ] as const) {
      assert.equal(initials(name), wanted, name);
    }
  });

  test('property: no name, title or text breaks a page', () => {
    const word = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(word, word, word, (name, email, title) => {
        const root = read(
          settingsPage({ ...settings, title, installationName: name, signedIn: { ...signedIn, name, email }, body: notice({ kind: 'plain', text: email }) }),
        );
        assert.equal(root.querySelectorAll('script').length, 1);
        assert.equal(root.querySelector('h1')!.text, title);
        assert.equal(root.querySelector('.notice p')!.text, email);
      }),
      { numRuns: 50 },
    );
  });
});

describe('pieces of forms', () => {
  test('a form posts, and carries the token', () => {
    const root = read(form({ action: '/sign-in', formToken: 'the token', body: 'x' })).querySelector('form')!;
    assert.equal(root.getAttribute('method'), 'post');
    assert.equal(root.querySelector('input[type=hidden][name=form_token]')!.getAttribute('value'), 'the token');
  });

  test('each field has a label, and an error and a hint that are tied to it', () => {
    const said = { error: 'That is wrong.', hint: 'Like this.' };
    for (const field of [
      textField({ label: 'Field', name: 'field', ...said }),
      passwordField({ label: 'Field', name: 'field', autocomplete: 'new-password', ...said }),
    ]) {
      const root = read(field);
      const input = root.querySelector('input')!;
      assert.equal(root.querySelector('label')!.getAttribute('for'), input.getAttribute('id'));
      assert.equal(input.getAttribute('aria-invalid'), 'true');
      assert.ok(input.hasAttribute('autofocus'), 'also without the script');
      const tied = input
        .getAttribute('aria-describedby')!
        .split(' ')
        .map((id) => root.querySelector(`#${id}`)!.text);
      assert.deepEqual(tied, ['That is wrong.', 'Like this.']);
    }
    const tick = read(checkbox({ label: 'Yes', name: 'yes', checked: false, error: 'Tick it.' }));
    assert.equal(tick.querySelector(`#${tick.querySelector('input')!.getAttribute('aria-describedby')}`)!.text, 'Tick it.');
    const calm = read(textField({ label: 'Field', name: 'field' })).querySelector('input')!;
    assert.equal(calm.getAttribute('aria-invalid') ?? calm.getAttribute('aria-describedby'), undefined);
  });

  test('a code field is one field for the code that a phone offers, and takes any paste', () => {
    const input = read(codeField({ label: 'Verification code', name: 'code', value: '123 456' })).querySelectorAll('input');
    assert.equal(input.length, 1);
    const { attributes } = input[0]!;
    assert.equal(attributes['autocomplete'], 'one-time-code');
    assert.equal(attributes['inputmode'], 'numeric');
    assert.equal(attributes['type'], 'text');
    assert.equal(attributes['value'], '123 456');
    assert.equal(attributes['maxlength'] ?? attributes['pattern'] ?? attributes['minlength'], undefined);
  });

  test('a password is never sent back, and its button waits for the script', () => {
    const root = read(passwordField({ label: 'Password', name: 'password', autocomplete: 'current-password' }));
    assert.equal(root.querySelector('input')!.getAttribute('value'), undefined);
    const show = root.querySelector('button')!;
    assert.equal(show.getAttribute('type'), 'button');
    assert.equal(show.getAttribute('aria-label'), 'Show password');
    assert.ok(show.hasAttribute('hidden'));
  });

  test('the rest: what is chosen, ticked, waited for and linked', () => {
    const choices = [
      ['en', 'English'],
      ['de', 'Deutsch'],
    ] as const;
    assert.equal(read(select({ label: 'Language', name: 'language', value: 'de', options: choices })).querySelector('option[selected]')!.text, 'Deutsch');
    assert.ok(
      read(checkbox({ label: 'Yes', name: 'yes', checked: true }))
        .querySelector('input')!
        .hasAttribute('checked'),
    );
    assert.ok(
      !read(checkbox({ label: 'Yes', name: 'yes', checked: false }))
        .querySelector('input')!
        .hasAttribute('checked'),
    );
    const waiting = read(button({ label: 'Send again', waitSeconds: 30 })).querySelector('button')!;
    assert.ok(waiting.hasAttribute('disabled'));
    assert.equal(waiting.getAttribute('data-wait-seconds'), '30');
    assert.throws(() => linkButton({ label: 'x', href: 'data:text/html,x' }), TypeError);
  });

  test('mistakes are summed up in the order of the fields, for those who do not see them beside these', () => {
    const summary = read(html`${mistakes(undefined, 'No name.', 'No address.')}`).querySelector('[role=alert]')!;
    assert.equal(summary.text, 'No name. No address.');
    assert.equal(summary.getAttribute('class'), 'said');
    assert.equal(mistakes(undefined, undefined), false);
  });

  test('only what is bad interrupts', () => {
    const role = (kind: 'bad' | 'good' | 'plain') =>
      read(notice({ kind, text: 'x' }))
        .querySelector('.notice')!
        .getAttribute('role');
    assert.deepEqual([role('bad'), role('good'), role('plain')], ['alert', 'status', 'status']);
  });
});
