/**
 * Whether a message can be read in one way only, before anybody looks at its signatures: one assertion, in its place; each id once; each signature in the
 * element that it signs, over the whole of it and nothing else, by algorithms that are sound. What wraps a signed assertion into something else (XSW) needs a
 * second place for something, and there is none.
 */
import type { XmlElement } from '../../platform/xml/read-xml.ts';
import { ASSERTION, DIGESTS, DSIG, ENVELOPED, EXCLUSIVE, PROTOCOL, SIGNATURES } from './names.ts';

type Fault = string | undefined;

const isSignature = ({ name, namespace }: XmlElement): boolean => name === 'Signature' && namespace === DSIG;

/** Of a Response that somebody is to be believed by; the assertion has to be signed itself. */
export function faultOfResponse(root: XmlElement): Fault {
  if (root.name !== 'Response' || root.namespace !== PROTOCOL || root.attributes['Version'] !== '2.0') return 'What came is no response of SAML 2.0.';
  const all = everyElement(root);
  // By name alone: what is called one in another namespace has no business here either.
  if (all.some(({ name }) => name.startsWith('Encrypted')))
    return 'The assertion, or a part of it, is encrypted. Turn encryption off at the provider: the way here is encrypted anyway.';
  const assertions = all.filter(({ name }) => name === 'Assertion');
  const [assertion] = assertions;
  if (!assertion) return 'The response holds no assertion.';
  if (assertions.length > 1) return 'The response holds more than one assertion.';
  if (assertion.namespace !== ASSERTION || !root.children.includes(assertion)) return 'The assertion is not where it has to be.';
  return faultOfIds(all) ?? faultOfSignatures(all, { root, mustBeSigned: assertion });
}

/** Of a LogoutRequest that was posted, and so bears its signature in itself. */
export function faultOfSignedRequest(root: XmlElement): Fault {
  const all = everyElement(root);
  return faultOfIds(all) ?? faultOfSignatures(all, { root, mustBeSigned: root });
}

export const isSigned = (root: XmlElement): boolean => root.children.some(isSignature);

const everyElement = (root: XmlElement): XmlElement[] => [root, ...root.children.flatMap(everyElement)];

function faultOfIds(all: readonly XmlElement[]): Fault {
  // `ID`, `Id`, `xml:id`, `wsu:Id`: each is an id to somebody.
  const ids = all.flatMap(({ attributes }) => Object.entries(attributes).flatMap(([name, value]) => (/(?:^|\})id$/i.test(name) ? [value] : [])));
  return new Set(ids).size < ids.length ? 'Two elements have the same id.' : undefined;
}

function faultOfSignatures(all: readonly XmlElement[], { root, mustBeSigned }: { root: XmlElement; mustBeSigned: XmlElement }): Fault {
  const called = mustBeSigned === root ? 'message' : 'assertion';
  const signed = new Set([root, mustBeSigned]);
  if (!isSigned(mustBeSigned)) return `The ${called} is not signed. Set the provider to sign assertions, not the response alone.`;
  const inPlace = [...signed].flatMap((element) => element.children.filter(isSignature).map((signature) => ({ element, signature })));
  if (inPlace.length < all.filter(({ name }) => name === 'Signature').length) return 'A signature is where none has to be.';
  for (const element of signed) if (element.children.filter(isSignature).length > 1) return `The ${called} is signed more than once.`;
  for (const { element, signature } of inPlace) {
    const fault = faultOfSignature(signature, element.attributes['ID'] ?? '');
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** XML Signature, 4; SAML 2.0 Core, 5.4. */
function faultOfSignature(signature: XmlElement, id: string): Fault {
  const [info, value, ...more] = signature.children;
  if (info?.name !== 'SignedInfo' || value?.name !== 'SignatureValue' || more.some(({ name }) => name !== 'KeyInfo'))
    return 'A signature holds what none needs.';
  const [canonical, method, reference, ...further] = info.children;
  if (canonical?.name !== 'CanonicalizationMethod' || method?.name !== 'SignatureMethod' || reference?.name !== 'Reference' || further.length > 0)
    return 'A signature has to be of one element.';
  if (id === '' || reference.attributes['URI'] !== `#${id}`) return 'A signature is of another element than the one that it is in.';
  const [transforms, digest] = reference.children;
  const algorithms = (transforms?.children ?? []).map(algorithmOf);
  if (reference.children.length !== 3 || algorithms.length !== 2 || algorithms[0] !== ENVELOPED || ![algorithms[1], algorithmOf(canonical)].every(isExclusive))
    return 'A signature is not of the whole of its element in its exclusive canonical form.';
  if (!Object.hasOwn(SIGNATURES, algorithmOf(method)) || !DIGESTS.includes(algorithmOf(digest)))
    return 'A signature is by an algorithm that is not sound, such as SHA-1. Set the provider to sign by RSA with SHA-256.';
  return undefined;
}

const algorithmOf = (element: XmlElement | undefined): string => element?.attributes['Algorithm'] ?? '';
const isExclusive = (algorithm: string | undefined): boolean => algorithm === EXCLUSIVE;
