/** This program's version, as package.json has it (a test compares). */
export const VERSION = '0.1.0'

/** How operations name the program that wrote them. */
export const TOOL: string = `artifacts/${VERSION}`
