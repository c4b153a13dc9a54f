// /api/docs: the OpenAPI document, to be read by people. Made from the document itself, so that it says the same.
import { linkButton } from '../html/forms.ts';
import { html, type Html, type Value } from '../html/html.ts';
import { alonePage } from '../html/layout.ts';
import { PROBLEMS } from '../problem.ts';
import type { Installation } from '../world.ts';
import type { Described, OpenApi, OpenApiOperation, Schema } from './openapi.ts';

export function docsPage({ name, origin }: Installation, document: OpenApi, { scopes, path }: Described): Html {
  const operations = Object.entries(document.paths).flatMap(([below, methods]) =>
    Object.entries(methods).map(([method, operation]): Shown => ({ method: method.toUpperCase(), address: path + below, operation })),
  );
  return alonePage({
    installationName: name,
    language: 'en',
    title: 'API',
    wide: true,
    body: html`<p class="quiet">${document.info.description}</p>
      ${begin(scopes, origin + path)} ${contents(document, operations)}
      ${document.tags.map(
        ({ name: tag }) =>
          html`<h2>${tag}</h2>
            ${operations.filter(({ operation }) => operation.tags.includes(tag)).map((one) => operationSection(one, document.components.schemas))}`,
      )}
      <h2>What holds for all</h2>
      <ul>
        ${HOLDS_FOR_ALL.map((sentence) => html`<li>${sentence}</li>`)}
      </ul>
      ${problems()}
      <div class="actions">${linkButton({ label: 'OpenAPI document', href: `${path}/openapi.json` })}</div>`,
  });
}

function begin(scopes: Readonly<Record<string, string>>, address: string): Html {
  return html`<h2>To begin</h2>
    <p>Owners and admins make a key in the console, under API keys. Send it with each request, in this header and nowhere else:</p>
    <p class="command">curl -H "Authorization: Bearer twl_…" ${address}/organisation</p>
    <p>What a key may do is said by its scopes:</p>
    ${fieldList(Object.entries(scopes).map(([name, words]) => ({ name, type: '', words })))}`;
}

/** What there is, by what it is about: a long page has to be found through. */
function contents({ tags }: OpenApi, operations: readonly Shown[]): Html {
  return html`<nav aria-label="Operations">
    <dl class="fields">
      ${tags.map(
        ({ name }) =>
          html`<dt>${name}</dt>
            <dd>
              ${operations
                .filter(({ operation }) => operation.tags.includes(name))
                .map(({ operation: { operationId, summary } }, index) => html`${index > 0 && ' · '}<a href="#${operationId}">${summary}</a>`)}
            </dd>`,
      )}
    </dl>
  </nav>`;
}

const HOLDS_FOR_ALL = [
  'Bodies are application/json in UTF-8, at most 64 kilobytes. A field that is not named here is refused.',
  'Instants are in UTC, as RFC 3339 has them.',
  'What has versions has an ETag. Send the one that you have seen as If-Match to change it: where another version is in force by now, nothing is done.',
  'Lists come in pages. Send “next” as “cursor” to get the page that follows; it is null on the last.',
  'A key may ask 600 times a minute. Beyond that the answer is 429, and Retry-After says when to go on.',
  'Give each request that changes something an Idempotency-Key of your own making. Sent again with the same one within a day, it is not done again, and answered as it was.',
  'An id of another organisation is answered like one that is made up: 404.',
];

function problems(): Html {
  return html`<h2>Problems</h2>
    <p>
      What could not be done is answered as application/problem+json (RFC 9457). Its “code” is one of these, and its “requestId” finds the request in the
      server’s log.
    </p>
    ${fieldList(Object.entries(PROBLEMS).map(([code, { status, title }]) => ({ id: `problem-${code}`, name: code, type: String(status), words: `${title}.` })))}`;
}

interface Shown {
  readonly method: string;
  readonly address: string;
  readonly operation: OpenApiOperation;
}

function operationSection({ method, address, operation }: Shown, schemas: Schemas): Html {
  const { operationId, summary, description, security, parameters = [], requestBody, responses } = operation;
  const scopes = security.flatMap(({ apiKey }) => apiKey);
  const [[status, answer] = ['', { description: '' }]] = Object.entries(responses);
  const given = parameters.filter((one) => one.name !== 'Idempotency-Key').map((one) => ({ ...one, type: typeOf(one.schema, schemas) }));
  const row = ({ name, type, required, description: words }: (typeof given)[number]): Field => ({ name, type, words: wordsOf(required, words) });
  const [inHeader, inAddress] = [given.filter((one) => one.in === 'header').map(row), given.filter((one) => one.in !== 'header').map(row)];
  return html`<section class="operation" aria-labelledby="${operationId}">
    <h3 id="${operationId}">${summary}</h3>
    <p class="command"><strong>${method}</strong> ${address}</p>
    <p>${description} ${scopes.length === 0 ? 'Any key will do.' : html`Scope: <strong>${scopes.join(', ')}</strong>.`}</p>
    ${part('In the address', inAddress)} ${part('In a header', inHeader)}
    ${part('In the body', fieldsOf(requestBody?.content['application/json'].schema, schemas, true))}
    <h4>Answer ${status}</h4>
    <p>${answer.description}.</p>
    ${fieldList(fieldsOf(answer.content?.['application/json']?.schema, schemas, false))}
    <p class="quiet">
      May be refused as
      ${Object.values(responses)
        .flatMap((one) => one['x-codes'] ?? [])
        .map((code, index) => html`${index > 0 && ', '}<a href="#problem-${code}">${code}</a>`)}.
    </p>
  </section>`;
}

interface Field {
  readonly id?: string;
  readonly name: string;
  readonly type: string;
  readonly words: string;
}

type Schemas = OpenApi['components']['schemas'];

const part = (heading: string, fields: readonly Field[]): Value =>
  fields.length > 0 &&
  html`<h4>${heading}</h4>
    ${fieldList(fields)}`;

const fieldList = (fields: readonly Field[]): Value =>
  fields.length > 0 &&
  html`<dl class="fields">
    ${fields.map(
      ({ id, name, type, words }) =>
        html`<dt ${id !== undefined && html` id="${id}"`}>${name} ${type !== '' && html`<span class="quiet">${type}</span>`}</dt>
          <dd>${words}</dd>`,
    )}
  </dl>`;

/** The fields of an object and of what is in it: `people[].name`. */
function fieldsOf(given: Schema | undefined, schemas: Schemas, sent: boolean, before = ''): Field[] {
  const schema = given && resolved(given, schemas);
  if (!schema) return [];
  if (schema.items) return fieldsOf(schema.items, schemas, sent, `${before}[]`);
  const variants = schema.oneOf ?? schema.anyOf;
  if (variants) return fieldsOfVariants(variants, schemas, sent, before);
  return Object.entries(schema.properties ?? {}).flatMap(([name, one]) => {
    const full = before === '' ? name : `${before}.${name}`;
    const words = sent ? wordsOf(schema.required?.includes(name) ?? false, one.description) : (one.description ?? '');
    return [{ name: full, type: typeOf(one, schemas), words }, ...fieldsOf(one, schemas, sent, full)];
  });
}

/** Of what may be this or that, told apart by a field that always has the same value: each says where it belongs. */
function fieldsOfVariants(variants: readonly Schema[], schemas: Schemas, sent: boolean, before: string): Field[] {
  return variants.flatMap((one) => {
    const variant = resolved(one, schemas);
    const mark = Object.entries(variant.properties ?? {}).find(([, { const: value }]) => value !== undefined);
    const fields = fieldsOf(variant, schemas, sent, before);
    if (!mark) return fields;
    const [name, { const: value }] = mark;
    return fields
      .filter((field) => field.name !== `${before}.${name}`)
      .map((field) => ({ ...field, words: `Where ${name} is ${value}. ${field.words}`.trim() }));
  });
}

const wordsOf = (required: boolean, description: string | undefined): string =>
  [required ? '' : 'May be left out.', description === undefined ? '' : `${description}.`].filter((words) => words !== '').join(' ');

function typeOf(given: Schema, schemas: Schemas): string {
  const schema = resolved(given, schemas);
  if (schema.const !== undefined) return schema.const;
  if (schema.oneOf) return `object: ${schema.oneOf.map((one) => markOf(resolved(one, schemas))).join(' | ')}`;
  if (schema.enum) return schema.enum.join(' | ');
  if (schema.anyOf) return schema.anyOf.map((one) => typeOf(one, schemas)).join(' or ');
  if (schema.items) return `list of ${typeOf(schema.items, schemas)}`;
  const type = [schema.type ?? 'anything'].flat().join(' or ');
  const about = [
    schema.format,
    schema.maxLength !== undefined && `at most ${schema.maxLength} characters`,
    schema.minimum !== undefined && schema.maximum !== undefined && schema.maximum < Number.MAX_SAFE_INTEGER && `${schema.minimum} to ${schema.maximum}`,
    schema.default !== undefined && schema.default !== '' && `${JSON.stringify(schema.default)} unless told`,
  ].filter((words) => words !== false && words !== undefined);
  return about.length === 0 ? type : `${type}, ${about.join(', ')}`;
}

/** `{ kind: share }` */
function markOf({ properties = {} }: Schema): string {
  const marks = Object.entries(properties).map(([name, { const: value }]) => (value === undefined ? name : `${name}: ${value}`));
  return `{ ${marks.join(', ')} }`;
}

/** A shape that has a name stands among the components. */
function resolved(schema: Schema, schemas: Schemas): Schema {
  const name = schema.$ref?.split('/').at(-1);
  return name === undefined ? schema : (schemas[name] ?? schema);
}
