// Asks the search of a built site, as its pages do: node site_search.js SITE < queries.json
// Prints for each query the pages that it shows, the first first.
const fs = require('fs');
const path = require('path');
const vm = require('vm');

const site = process.argv[2];
const folder = path.join(site, 'assets', 'javascripts', 'workers');
const worker = fs.readdirSync(folder).find((name) => /^search\..*\.js$/.test(name));
const index = JSON.parse(fs.readFileSync(path.join(site, 'search', 'search_index.json')));
const listeners = [];
let answered;
const scope = {
  addEventListener: (type, listener) => listeners.push(listener),
  postMessage: (message) => answered(message),
  importScripts() {},
  console,
  setTimeout,
  URL,
};
scope.self = scope;
vm.createContext(scope);
vm.runInContext(fs.readFileSync(path.join(folder, worker), 'utf8'), scope);

function ask(type, data) {
  return new Promise((resolve) => {
    answered = resolve;
    listeners.forEach((listener) => listener({ data: { type, data } }));
  });
}

async function main() {
  await ask(0, { config: index.config, docs: index.docs, options: { suggest: true } });
  const pages = {};
  for (const query of JSON.parse(fs.readFileSync(0))) {
    const { data } = await ask(2, query);
    pages[query] = data.items.map((sections) => sections[0].location.split('#')[0]);
  }
  console.log(JSON.stringify(pages));
}

main();
