import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { nearest } from '../../../src/store/index/nearest.ts'

const test = suite('nearest')

test('finds the name that was mistyped', () => {
  const names = ['bike-dataset', 'bike-model', 'car']
  for (const [typed, meant] of [
    ['bike-datset', 'bike-dataset'],
    ['bike-modle', 'bike-model'],
    ['Bike-Model', 'bike-model'],
    ['bikemodel', 'bike-model'],
    ['acr', 'car'],
    ['cars', 'car'],
  ]) {
    assert.is(nearest(typed ?? '', names), meant)
  }
})

test('suggests nothing that is far away', () => {
  assert.is(nearest('train', ['bike', 'car', 'plane-model']), undefined)
  assert.is(nearest('x', ['yz']), undefined)
  assert.is(nearest('bike', []), undefined)
})

test('prefers the nearest, and of equals the first', () => {
  assert.is(nearest('model', ['modxx', 'modex', 'model1']), 'modex')
})

test.run()
