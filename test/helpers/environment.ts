/** Does something with variables of the environment, and puts them back. */
export function withEnv<T>(
  variables: Record<string, string | undefined>,
  use: () => T,
): T {
  const before = { ...process.env };
  const set = (values: NodeJS.ProcessEnv): void => {
    for (const name of Object.keys(variables)) {
      const value = values[name];
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  };
  set(variables);
  try {
    return use();
  } finally {
    set(before);
  }
}
