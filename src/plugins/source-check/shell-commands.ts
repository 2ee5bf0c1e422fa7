/** The commands inside the shell text of a RUN, each as its words: enough to recognise programs, no shell of our own. */

/** Quoted parts stay inside their word, so that what is only printed is not taken for a command. */
const TOKEN = /(?:"(?:\\[^]|[^"\\])*"|'[^']*'|\\[^]|[^\s;&|"'\\])+|&&|\|\|?|[;&\n]/g;
const SEPARATOR = /^(?:&&|\|\|?|[;&\n])$/;
/** `DEBIAN_FRONTEND=noninteractive apt-get …` */
const ASSIGNMENT = /^\w+=/;

export function shellCommands(text: string): string[][] {
  const commands: string[][] = [[]];
  for (const [token] of text.matchAll(TOKEN)) {
    if (SEPARATOR.test(token)) commands.push([]);
    else commands.at(-1)?.push(token);
  }
  return commands.map(withoutAssignments).filter((words) => words.length > 0);
}

function withoutAssignments(words: readonly string[]): string[] {
  const program = words.findIndex((word) => !ASSIGNMENT.test(word));
  return program < 0 ? [] : words.slice(program);
}
