exports.handler = async (event) => {
  if (!event.name) {
    const problem = new Error('nobody to greet');
    problem.name = 'NoName';
    throw problem;
  }
  return `${process.env.GREETING}, ${event.name}`;
};
