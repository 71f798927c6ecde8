// Starts the program if it fits this machine, and says what does not fit. Written so that old releases of Node understand it.
var path = require('path')
var wanted = require('./offline.json')

var problem = misfit()
if (problem) {
  console.error('error: ' + problem.message)
  console.error('hint: ' + problem.hint)
  process.exitCode = 4
} else {
  import('./dist/program/artifacts.js')
}

function misfit() {
  var system = process.platform + '-' + process.arch
  if (system !== wanted.platform) {
    return {
      message: 'This is the program for ' + wanted.platform + ', and this machine is ' + system + '.',
      hint: 'Make the archive for it on such a machine: npm run pack:offline',
    }
  }
  var major = process.versions.node.split('.')[0]
  if (major !== wanted.node || process.versions.modules !== wanted.modules) {
    return {
      message: 'This is the program for Node ' + wanted.node + ', and this is Node ' + process.versions.node + ' (' + process.execPath + ').',
      hint: 'Name a Node ' + wanted.node + ' with `export ARTIFACTS_NODE=/path/to/node`, or make the archive with Node ' + major + ': npm run pack:offline',
    }
  }
  for (var i = 0; i < wanted.native.length; i++) {
    try {
      require(path.join(__dirname, wanted.native[i]))
    } catch (error) {
      return {
        message: 'A part of the program can not be loaded here: ' + String(error.message).split('\n')[0],
        hint: 'It needs ' + wanted.needs + '. Make the archive on a system as old as this one: npm run pack:offline',
      }
    }
  }
}
