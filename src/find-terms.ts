/** The grammar of terms: a field, an operator, a value. */
import { ArtifactsError } from './errors.ts'

export interface Term {
  readonly field: string
  /** `is`: the field alone was written, and must be set. */
  readonly operator: '=' | '!=' | '~' | '!~' | '<' | '<=' | '>' | '>=' | 'is'
  readonly value: string
  /** As it was written. */
  readonly typed: string
}

/** Reads `type=model`; `meta.acc` alone asks whether it is there, any other word alone is looked for in names. */
export function parseTerm(typed: string): Term {
  const [, field, operator, value = ''] =
    /^([^=!~<>]+)(!=|!~|<=|>=|=|~|<|>)(.*)$/s.exec(typed) ?? []
  if (field !== undefined) {
    return {
      field: field.trim(),
      operator: operator as Term['operator'],
      value: value.trim(),
      typed,
    }
  }
  const word = typed.trim()
  if (word === '' || /[=!~<>]/.test(word)) {
    throw new ArtifactsError('ERR_USAGE', `The term "${typed}" is not understood.`, {
      hint: 'Write a field, one of = != ~ !~ < <= > >=, and a value, as `type=model` or `meta.acc>0.9`.',
    })
  }
  return /^(meta|run)\./.test(word)
    ? { field: word, operator: 'is', value: '', typed }
    : { field: 'name', operator: '~', value: word, typed }
}
