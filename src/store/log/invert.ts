/** The change that takes another one back. */
import type { Change, ChangeKind, ChangeOf } from './change.ts'

type Inverses = { readonly [K in ChangeKind]: (change: ChangeOf<K>) => Change | undefined }

const INVERSES: Inverses = {
  // An artifact whose versions are all deleted is hidden, and keeps its name and its numbering.
  'artifact.create': () => undefined,
  'artifact.edit': ({ kind, artifact, set, old }) => ({ kind, artifact, set: old, old: set }),
  'artifact.rename': ({ kind, artifact, name, old }) => ({ kind, artifact, name: old, old: name }),
  'version.add': ({ artifact, version }) => ({ kind: 'version.delete', artifact, version }),
  'version.edit': ({ set, old, ...rest }) => ({ ...rest, set: old, old: set }),
  'version.delete': ({ artifact, version }) => ({ kind: 'version.restore', artifact, version }),
  'version.restore': ({ artifact, version }) => ({ kind: 'version.delete', artifact, version }),
  'version.purge': () => undefined,
  'alias.set': ({ artifact, alias, version, old }) =>
    old === null
      ? { kind: 'alias.remove', artifact, alias, old: version }
      : { kind: 'alias.set', artifact, alias, version: old, old: version },
  'alias.remove': ({ artifact, alias, old }) => ({
    kind: 'alias.set',
    artifact,
    alias,
    version: old,
    old: null,
  }),
  'link.add': ({ kind: _, ...link }) => ({ kind: 'link.remove', ...link }),
  'link.remove': ({ kind: _, ...link }) => ({ kind: 'link.add', ...link }),
  // What a run did stays: that it used a version is true however wrong it was.
  'run.start': () => undefined,
  'run.update': ({ kind, run, set, old }) => ({ kind, run, set: old, old: set }),
  'run.finish': () => undefined,
  'run.uses': () => undefined,
  'run.logs': () => undefined,
  // A draft that became a version is none any more, also when that version is deleted.
  'draft.open': () => undefined,
  'draft.part': () => undefined,
  'draft.finish': () => undefined,
  'draft.abort': () => undefined,
  // What a pull brought is so elsewhere, and comes back with the next one.
  'version.renumber': () => undefined,
  'version.fetch': () => undefined,
  'artifact.join': () => undefined,
  pull: () => undefined,
  'packs.drop': () => undefined,
  // What an undone operation did is taken back by the other changes of its undoing.
  undo: () => undefined,
}

/** Undefined for what has no inverse: bytes that left, and what stays by design. */
export function invert<K extends ChangeKind>(change: Change & ChangeOf<K>): Change | undefined {
  return INVERSES[change.kind as K](change)
}
