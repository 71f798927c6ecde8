import { images } from './images.ts'
import { many, manySlice } from './many.ts'
import { model } from './model.ts'
import { small } from './small.ts'
import { sparse } from './sparse.ts'
import { table } from './table.ts'
import type { Workload } from './workload.ts'

/** In this order: what makes few files lies between what makes many. */
export const WORKLOADS: readonly Workload[] = [small, model, table, images, manySlice, many, sparse]
