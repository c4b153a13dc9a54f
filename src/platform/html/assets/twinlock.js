// Everything works without this; it only spares people a few steps. No inline script, no request of its own.
const all = (selector) => document.querySelectorAll(selector);

/** Ticks "I have saved it" once the key was downloaded, copied or printed. */
const saved = () => {
  const tick = document.querySelector('input[name=saved]');
  if (tick) tick.checked = true;
};

for (const button of all('[data-copy]')) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    const label = button.textContent;
    button.textContent = 'Copied';
    setTimeout(() => (button.textContent = label), 2000);
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

for (const form of all('form')) {
  if (form.querySelector('[data-download]')) form.addEventListener('submit', saved);
}

for (const button of all('[data-show]')) {
  button.hidden = false;
  button.addEventListener('click', () => {
    const field = document.getElementById(button.dataset.show);
    const show = field.type === 'password';
    field.type = show ? 'text' : 'password';
    button.setAttribute('aria-pressed', String(show));
    button.textContent = show ? 'Hide' : 'Show';
    field.focus();
  });
}

// The server renders the button disabled and says when; the server's clock may differ from this one, so only the time left counts.
for (const button of all('[data-wait-seconds]')) {
  const label = button.textContent;
  let left = Number(button.dataset.waitSeconds);
  const tick = () => {
    button.disabled = left > 0;
    button.textContent = left > 0 ? `${label.trim()} (${left} s)` : label;
    if (left-- > 0) setTimeout(tick, 1000);
  };
  tick();
}

// A second click sends nothing twice; coming back by the back button makes the form usable again.
addEventListener('submit', (event) => {
  const form = event.target;
  if (form.dataset.sent) return event.preventDefault();
  if (form.querySelector('[data-download]')) return;
  form.dataset.sent = 'yes';
});
addEventListener('pageshow', () => all('form').forEach((form) => delete form.dataset.sent));

const menu = document.querySelector('.menu');
if (menu) {
  addEventListener('click', (event) => menu.contains(event.target) || menu.removeAttribute('open'));
  addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !menu.open) return;
    menu.removeAttribute('open');
    menu.querySelector('summary').focus();
  });
}

// To the first mistake, or to the one field that is asked for.
(document.querySelector('[aria-invalid=true]') ?? document.querySelector('.alone input.code'))?.focus();
