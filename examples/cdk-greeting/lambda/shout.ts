interface Greeting {
  text: string;
}

class TooQuiet extends Error {
  constructor(text: string) {
    super(`nothing to shout: ${JSON.stringify(text)}`);
    this.name = 'TooQuiet';
  }
}

const loud = (greeting: Greeting): string => `${greeting.text.toUpperCase()}!`;

export const handler = async (greeting: Greeting): Promise<string> => {
  if (!greeting.text) throw new TooQuiet(greeting.text);
  return loud(greeting);
};
