/** Says that files are not what a comparison is made for, so that a plainer one is tried. */
export class Unfit {
  /** As in `It was not compared as JSON: <reason>.` */
  readonly reason: string

  constructor(reason: string) {
    this.reason = reason
  }
}
