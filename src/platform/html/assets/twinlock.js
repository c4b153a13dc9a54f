// Everything works without this; it only spares people a few steps. No inline script, no request of its own.
const all = (selector) => document.querySelectorAll(selector);

// Said to those who do not see a button change its words.
const live = document.createElement('p');
live.className = 'said';
live.setAttribute('role', 'status');
document.querySelector('main')?.append(live);

/** Once the key was downloaded, copied or printed: ticks "I have saved it". */
const saved = () => {
  const tick = document.querySelector('input[name=saved]');
  if (!tick) return;
  tick.checked = true;
  leadOn(tick);
  settle(tick);
};

/** While it is ticked "Finish" is the main button, else "Download". */
const leadOn = (tick) => {
  document.querySelector('[data-download]')?.classList.toggle('main', !tick.checked);
  tick.form.querySelector('button').classList.toggle('main', tick.checked);
};
for (const tick of all('input[name=saved]')) tick.addEventListener('change', () => leadOn(tick));

/** Nobody is told any more to do what is done; what was said about it goes by the stylesheet, and keeps its place. */
const settle = (tick) => {
  tick.removeAttribute('aria-invalid');
  tick.removeAttribute('aria-describedby');
};
for (const tick of all('.tick [aria-invalid]')) tick.addEventListener('change', () => settle(tick));

const say = (button, words) => {
  button.dataset.label ??= button.textContent;
  button.textContent = live.textContent = words;
  setTimeout(() => {
    button.textContent = button.dataset.label;
    live.textContent = '';
  }, 2500);
};

for (const button of all('[data-copy]')) {
  // Only a page over https, or of this machine, may use the clipboard.
  if (!('clipboard' in navigator)) continue;
  button.hidden = false;
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      say(button, 'Not allowed');
      return;
    }
    say(button, 'Copied');
    if (button.hasAttribute('data-saves')) saved();
  });
}

for (const button of all('[data-print]')) {
  button.hidden = false;
  button.addEventListener('click', () => {
    print();
    saved();
  });
}

for (const button of all('[data-show]')) {
  button.hidden = false;
  const field = document.getElementById(button.dataset.show);
  const show = (visible) => {
    field.type = visible ? 'text' : 'password';
    button.setAttribute('aria-pressed', String(visible));
    button.textContent = visible ? 'Hide' : 'Show';
  };
  button.addEventListener('click', () => {
    show(field.type === 'password');
    field.focus();
  });
  // A password that is sent as text would be kept in the browser's list of things typed before.
  field.form.addEventListener('submit', () => show(false));
}

// The server renders the button disabled and says how long; its clock may differ from this one's, so only the time since then counts.
for (const button of all('[data-wait-seconds]')) {
  const label = button.textContent.trim();
  const endsAt = performance.now() + 1000 * Number(button.dataset.waitSeconds);
  const tick = () => {
    const left = Math.ceil((endsAt - performance.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? `${label} (${left} s)` : label;
    if (left > 0) setTimeout(tick, 1000);
    // The sentence that says when has had its time. Another takes its place, so that nothing moves.
    else if (button.nextElementSibling?.dataset.then) button.nextElementSibling.textContent = button.nextElementSibling.dataset.then;
  };
  tick();
}

// A second click sends nothing twice. Where the answer is a file the page stays, and may be asked again.
addEventListener('submit', (event) => {
  const form = event.target;
  if (form.querySelector('[data-download]')) saved();
  else if (form.dataset.sent) event.preventDefault();
  else form.dataset.sent = 'yes';
});
// Who comes back by the back button may send again.
addEventListener('pageshow', () => {
  for (const form of all('form')) delete form.dataset.sent;
});

// Into an app. What stands behind # in its address reaches no server: browsers take it along from redirect to redirect, and here it is kept over the pages
// and forms between the first of ours and the one that leads into that very app.
const way = wayIn();
if (way !== undefined && location.hash !== '') sessionStorage.setItem('way-in', JSON.stringify({ way, hash: location.hash }));
for (const link of all('[data-goes-on]')) {
  // A page that leads to an identity provider is on the way, not its end: it has no such address, and what is kept is kept.
  if (way !== undefined) {
    const kept = JSON.parse(sessionStorage.getItem('way-in') ?? '{}');
    sessionStorage.removeItem('way-in');
    if (kept.way === way) link.hash = kept.hash;
  }
  // Nobody comes back to this page by the back button, and is sent away again.
  location.replace(link.href);
}

/** The address in the app, and the browser that asked for it, as they stand in the address of this page: encoded once for each page on the way. */
function wayIn() {
  let text = location.search.replaceAll('+', ' ');
  try {
    for (let times = 0; times < 6; times += 1) text = decodeURIComponent(text);
  } catch {
    // A percent sign of the app's own address; what was decoded so far is as good on every page.
  }
  return /[?&]start=[^]*/.exec(text)?.[0].slice(1);
}

// To the one code or key that is asked for, unless the page asks for the focus elsewhere. Nothing scrolls away: a QR code above is what comes first.
if (!document.querySelector('[autofocus]')) document.querySelector('.alone input[name=code]')?.focus({ preventScroll: true });
