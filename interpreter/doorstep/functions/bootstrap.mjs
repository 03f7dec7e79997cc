// Runs a Node.js function behind Lambda's runtime API (2018-06-01): loads the module that _HANDLER
// names, then takes one event after another. Errors have the shapes that Lambda's own client posts.
import { existsSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

// The end of stdin says that Doorstep is gone; a thread of its own notices in an endless loop too.
const watch = `const stdin = new (require('node:net').Socket)({ fd: 0, writable: false });
stdin.on('close', () => process.kill(process.pid, 'SIGKILL')).on('error', () => {}).resume();`;
new Worker(watch, { eval: true }).unref();

function call(method, name, body) {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
    const at = { host, port, agent, method, headers, path: `/2018-06-01/runtime/${name}` };
    const request = http.request(at, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => resolve([answer.headers, Buffer.concat(parts).toString()]));
    });
    request.on('error', reject);
    request.end(body);
  });
}

function report(problem, type) {
  if (!(problem instanceof Error)) {
    // What is thrown without being an Error has its type and its text, and no trace.
    return { errorType: type ?? typeof problem, errorMessage: String(problem), trace: [] };
  }
  const lines = (problem.stack ?? `${problem.name}: ${problem.message}`).split('\n');
  const trace = lines.filter((line) => !line.includes(import.meta.url));
  return { errorType: type ?? problem.name, errorMessage: problem.message, trace };
}

function failure(name, message) {
  const problem = new Error(message);
  problem.name = name;
  problem.stack = `${name}: ${message}`;
  return problem;
}

function find(stem) {
  const root = process.env.LAMBDA_TASK_ROOT ?? process.cwd();
  for (const ending of ['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts', '']) {
    const file = path.resolve(root, stem + ending);
    if (existsSync(file)) return file;
  }
  throw failure('Runtime.ImportModuleError', `Error: Cannot find module '${stem}'`);
}

async function load(handler) {
  const at = handler.indexOf('.', handler.lastIndexOf('/') + 1);
  if (at < 0) throw failure('Runtime.MalformedHandlerName', 'Bad handler');
  const [stem, names] = [handler.slice(0, at), handler.slice(at + 1).split('.')];
  let module;
  try {
    module = await import(pathToFileURL(find(stem)));
  } catch (problem) {
    if (problem?.name?.startsWith('Runtime.')) throw problem;
    if (problem instanceof SyntaxError) throw failure('Runtime.UserCodeSyntaxError', String(problem));
    if (['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND'].includes(problem?.code)) {
      throw failure('Runtime.ImportModuleError', String(problem));
    }
    if (problem?.code === 'ERR_UNKNOWN_FILE_EXTENSION') {
      throw failure('Runtime.ImportModuleError', `${problem}: this Node.js (${process.version}) does `
        + 'not strip types. Build it and run what was built (`sam build`, then `doorstep run .aws-sam/build`), or use '
        + 'Node.js 22.6 or later');
    }
    throw problem;
  }
  const pick = (from) => names.reduce((value, name) => value?.[name], from);
  const found = pick(module) ?? pick(module.default);
  if (found === undefined) {
    throw failure('Runtime.HandlerNotFound', `${handler} is undefined or not exported`);
  }
  if (typeof found !== 'function') {
    throw failure('Runtime.HandlerNotFound', `${handler} is not a function`);
  }
  return found;
}

function run(handler, event, context) {
  return new Promise((resolve, reject) => {
    const done = (problem, result) => (problem ? reject(problem) : resolve(result));
    Object.assign(context, { done, succeed: resolve, fail: reject });
    const result = handler(event, context, done);
    if (typeof result?.then === 'function') result.then(resolve, reject);
    else if (handler.length < 3 && result !== undefined) resolve(result);
    else if (handler.length < 1 || handler.constructor.name === 'AsyncFunction') resolve(result);
  });
}

let current;
const fatal = (type) => async (problem) => {
  const body = JSON.stringify(report(problem, type));
  await call('POST', current ? `invocation/${current}/error` : 'init/error', body).catch(() => {});
  process.exit(128);
};
process.on('uncaughtException', fatal());
process.on('unhandledRejection', fatal('Runtime.UnhandledPromiseRejection'));

let handler;
try {
  handler = await load(process.env._HANDLER);
} catch (problem) {
  await call('POST', 'init/error', JSON.stringify(report(problem)));
  process.exit(1);
}

const text = (name) => process.env[`AWS_LAMBDA_${name}`];
for (;;) {
  let headers, body;
  try {
    [headers, body] = await call('GET', 'invocation/next');
  } catch {
    process.exit(0);  // Doorstep closed the connection
  }
  current = headers['lambda-runtime-aws-request-id'];
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  const context = {
    callbackWaitsForEmptyEventLoop: true,
    functionName: text('FUNCTION_NAME'),
    functionVersion: text('FUNCTION_VERSION'),
    memoryLimitInMB: text('FUNCTION_MEMORY_SIZE'),
    logGroupName: text('LOG_GROUP_NAME'),
    logStreamName: text('LOG_STREAM_NAME'),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: current,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
  let name, answer;
  try {
    const result = await run(handler, JSON.parse(body), context);
    [name, answer] = ['response', JSON.stringify(result) ?? 'null'];
  } catch (problem) {
    [name, answer] = ['error', JSON.stringify(report(problem))];
  }
  await call('POST', `invocation/${current}/${name}`, answer);
  current = undefined;
}
