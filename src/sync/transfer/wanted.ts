/** Objects that are to be fetched, each once, with the length that whatever names them says; about 50 bytes an object. */
import { IdSet } from '../../store/ingest/id-set.ts'
import { readId } from '../../store/object/id.ts'
import { remoteDamaged } from './errors.ts'

/** The length of an object of which nobody says how long it is. */
export const UNKNOWN = 0

export class Wanted {
  readonly ids: IdSet = new IdSet(Number.POSITIVE_INFINITY)
  #lengths: Uint32Array<ArrayBuffer> = new Uint32Array(1024)

  get size(): number {
    return this.ids.size
  }

  /**
   * @param id 32 bytes
   * @throws ArtifactsError ERR_DAMAGED when two lengths are said of one object
   */
  add(id: Uint8Array, length: number): void {
    if (this.ids.add(id, 0)) {
      const index = this.size - 1
      if (index === this.#lengths.length) {
        const lengths = new Uint32Array(index * 2)
        lengths.set(this.#lengths)
        this.#lengths = lengths
      }
      this.#lengths[index] = length
    } else if (this.length(this.ids.indexOf(id, 0)) !== length) {
      throw remoteDamaged(`Two lengths are said of the object "${readId(Buffer.from(id))}".`)
    }
  }

  length(index: number): number {
    return this.#lengths[index] as number
  }
}
