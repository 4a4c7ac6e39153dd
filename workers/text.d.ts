/** Texts that are built into a program. */
declare module '*.txt' {
  const text: string;
  export default text;
}
