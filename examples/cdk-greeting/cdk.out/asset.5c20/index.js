var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __hasOwnProp = Object.prototype.hasOwnProperty;
var __export = (target, all) => {
  for (var name in all)
    __defProp(target, name, { get: all[name], enumerable: true });
};
var __copyProps = (to, from, except, desc) => {
  if (from && typeof from === "object" || typeof from === "function") {
    for (let key of __getOwnPropNames(from))
      if (!__hasOwnProp.call(to, key) && key !== except)
        __defProp(to, key, { get: () => from[key], enumerable: !(desc = __getOwnPropDesc(from, key)) || desc.enumerable });
  }
  return to;
};
var __toCommonJS = (mod) => __copyProps(__defProp({}, "__esModule", { value: true }), mod);

// lambda/shout.ts
var shout_exports = {};
__export(shout_exports, {
  handler: () => handler
});
module.exports = __toCommonJS(shout_exports);
var TooQuiet = class extends Error {
  constructor(text) {
    super(`nothing to shout: ${JSON.stringify(text)}`);
    this.name = "TooQuiet";
  }
};
var loud = (greeting) => `${greeting.text.toUpperCase()}!`;
var handler = async (greeting) => {
  if (!greeting.text) throw new TooQuiet(greeting.text);
  return loud(greeting);
};
// Annotate the CommonJS export names for ESM import in node:
0 && (module.exports = {
  handler
});
