/** W&B's tables of calls and the contents they give: `add_file`, `add_dir`, `new_file`. */
import { Artifact } from 'artifacts'

/** The paths of a draft after one call. */
async function pathsAfter(call: (artifact: Artifact) => Promise<unknown>): Promise<string[]> {
  const artifact = new Artifact('paths', { type: 'dataset' })
  const added = await call(artifact)
  const entries = Array.isArray(added) ? added : [added]
  return entries.map(({ path }: { path: string }) => path)
}

const show = (call: string, paths: readonly string[]): void =>
  console.log(`${call.padEnd(60)} ${paths.join(', ')}`)

show(
  "artifact.new_file('hello.txt')",
  await pathsAfter(async (artifact) => {
    const file = artifact.newFile('hello.txt')
    file.write('hello!')
    return file.close()
  }),
)
show("artifact.add_file('model.h5')", await pathsAfter((artifact) => artifact.addFile('model.h5')))
show(
  "artifact.add_file('checkpoints/model.h5')",
  await pathsAfter((artifact) => artifact.addFile('checkpoints/model.h5')),
)
show(
  "artifact.add_file('model.h5', name='models/mymodel.h5')",
  await pathsAfter((artifact) => artifact.addFile('model.h5', { as: 'models/mymodel.h5' })),
)
show(
  'artifact.add_file("hello.txt", name="new/path/hello_world.txt")',
  await pathsAfter((artifact) => artifact.addFile('hello.txt', { as: 'new/path/hello_world.txt' })),
)
show("artifact.add_dir('images')", await pathsAfter((artifact) => artifact.addDir('images')))
show("artifact.add_dir('images/')", await pathsAfter((artifact) => artifact.addDir('images/')))
show(
  "artifact.add_dir('images', name='images')",
  await pathsAfter((artifact) => artifact.addDir('images', { as: 'images' })),
)

/* prints
artifact.new_file('hello.txt')                               hello.txt
artifact.add_file('model.h5')                                model.h5
artifact.add_file('checkpoints/model.h5')                    model.h5
artifact.add_file('model.h5', name='models/mymodel.h5')      models/mymodel.h5
artifact.add_file("hello.txt", name="new/path/hello_world.txt") new/path/hello_world.txt
artifact.add_dir('images')                                   cat.png, dog.png
artifact.add_dir('images/')                                  cat.png, dog.png
artifact.add_dir('images', name='images')                    images/cat.png, images/dog.png
*/
