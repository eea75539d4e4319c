/** What the roles of a cluster may do, as examples of subjects: `millrace check` tries them. docs/cluster.md has the permissions. */

/** What the subjects of a role are made of. */
export interface Place {
  readonly namespace: string
  readonly group: string
  /** Of the producer. */
  readonly name: string
  /** The streams. */
  readonly tasks: string
  readonly results: string
}

export interface RoleActions {
  /** The prefix of the subjects of answers. @param name Of the producer. */
  readonly inbox: (name: string) => string
  readonly publish: (place: Place) => readonly string[]
  readonly subscribe: (place: Place) => readonly string[]
}

export type Role = 'admin' | 'producer' | 'host' | 'observer'

const API = '$JS.API'
/** A consumer, a module and an id that do not exist. */
const NONE = 'check-0000000000000000'

export const ROLES: Readonly<Record<Role, RoleActions>> = {
  admin: {
    inbox: () => '_INBOX',
    publish: ({ tasks, results }) => [
      ...[tasks, results].flatMap((stream) =>
        ['INFO', 'CREATE', 'UPDATE'].map((action) => `${API}.STREAM.${action}.${stream}`),
      ),
      `${API}.INFO`,
    ],
    subscribe: () => ['_INBOX.check'],
  },
  producer: {
    inbox: (name) => `_INBOX_${name}`,
    publish: ({ namespace, group, name, tasks, results }) => [
      `mr.${namespace}.t.${group}.${NONE}.${name}.${NONE}.1`,
      `mr.${namespace}.x.${name}.${NONE}`,
      `mr.${namespace}.hosts`,
      `${API}.STREAM.INFO.${tasks}`,
      `${API}.CONSUMER.INFO.${tasks}.${NONE}`,
      `${API}.CONSUMER.CREATE.${results}.${NONE}.mr.${namespace}.r.${name}.${NONE}`,
      ...['INFO', 'DELETE', 'MSG.NEXT'].map((action) => `${API}.CONSUMER.${action}.${results}.${NONE}`),
      `$JS.ACK.${results}.${NONE}.1.1.1.1.1`,
    ],
    subscribe: ({ name }) => [`_INBOX_${name}.check`],
  },
  host: {
    inbox: () => '_INBOX_h',
    publish: ({ namespace, group, tasks, results }) => [
      `mr.${namespace}.r.any.${NONE}`,
      `${API}.STREAM.INFO.${tasks}`,
      `${API}.CONSUMER.CREATE.${tasks}.${NONE}.mr.${namespace}.t.${group}.${NONE}.>`,
      ...['INFO', 'MSG.NEXT'].map((action) => `${API}.CONSUMER.${action}.${tasks}.${NONE}`),
      `${API}.CONSUMER.INFO.${results}.${NONE}`,
      `$JS.ACK.${tasks}.${NONE}.1.1.1.1.1`,
    ],
    subscribe: ({ namespace }) => ['_INBOX_h.check', `mr.${namespace}.x.>`, `mr.${namespace}.hosts`],
  },
  observer: {
    inbox: () => '_INBOX_obs',
    publish: ({ namespace, tasks, results }) => [
      `mr.${namespace}.hosts`,
      `${API}.STREAM.INFO.${tasks}`,
      `${API}.STREAM.INFO.${results}`,
      `${API}.CONSUMER.LIST.${tasks}`,
      `${API}.CONSUMER.INFO.${tasks}.${NONE}`,
    ],
    subscribe: () => ['_INBOX_obs.check'],
  },
}
