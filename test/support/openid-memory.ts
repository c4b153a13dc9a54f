/** What the package oidc-provider keeps its sessions and codes in: a map for each provider. */
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider';

export function openIdMemory(): AdapterFactory {
  const stored = new Map<string, AdapterPayload>();
  return (model): Adapter => {
    const find = (matches: (payload: AdapterPayload) => boolean): AdapterPayload | undefined =>
      [...stored].find(([key, payload]) => key.startsWith(`${model} `) && matches(payload))?.[1];
    return {
      upsert: async (id, payload) => void stored.set(`${model} ${id}`, payload),
      find: async (id) => stored.get(`${model} ${id}`),
      findByUid: async (uid) => find((payload) => payload.uid === uid),
      findByUserCode: async (userCode) => find((payload) => payload.userCode === userCode),
      // Any number will do: that it is there is what counts.
      consume: async (id) => void (stored.get(`${model} ${id}`)!.consumed = 1),
      destroy: async (id) => void stored.delete(`${model} ${id}`),
      async revokeByGrantId(grantId) {
        for (const [key, payload] of stored) if (payload.grantId === grantId) stored.delete(key);
      },
    };
  };
}
