"use strict";
// Builds the page from openapi.json. Text only ever enters the page as text nodes.

const signIn = document.getElementById("sign-in");
const who = document.getElementById("who");
let api = null;

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function resolve(schema) {
  if (!schema || !schema.$ref) return schema || {};
  return api.components.schemas[schema.$ref.split("/").pop()] || {};
}

// An example value of a schema; `depth` ends recursive ones.
function example(schema, depth = 0) {
  const real = resolve(schema);
  if (depth > 6) return null;
  if ("default" in real) return real.default;
  if (real.enum) return real.enum[0];
  if ("const" in real) return real.const;
  const choices = real.anyOf || real.oneOf;
  if (choices) return example(choices.find((choice) => choice.type !== "null") || choices[0], depth + 1);
  const type = Array.isArray(real.type) ? real.type[0] : real.type;
  if (type === "object") {
    const names = Object.keys(real.properties || {});
    return Object.fromEntries(names.map((name) => [name, example(real.properties[name], depth + 1)]));
  }
  if (type === "array") return real.items ? [example(real.items, depth + 1)] : [];
  if (type === "integer" || type === "number") return real.minimum ?? 0;
  if (type === "boolean") return false;
  return type === "null" ? null : "";
}

function typeOf(schema) {
  if (schema.$ref) return schema.$ref.split("/").pop();
  const choices = schema.anyOf || schema.oneOf;
  if (choices) return choices.map(typeOf).join(" | ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.type === "array") return typeOf(schema.items || {}) + "[]";
  return [schema.type || "any", schema.format].filter(Boolean).join(" ");
}

function describe(schema, depth = 0) {
  const real = resolve(schema);
  const indent = "  ".repeat(depth);
  if (!real.properties || depth > 4) return indent + typeOf(schema) + "\n";
  return Object.entries(real.properties).map(([name, property]) => {
    const optional = (real.required || []).includes(name) ? "" : "?";
    const line = `${indent}${name}${optional}: ${typeOf(property)}${property.description ? "  — " + property.description : ""}\n`;
    const inner = property.$ref ? property : property.items && property.items.$ref ? property.items : null;
    return line + (inner && resolve(inner).properties ? describe(inner, depth + 1) : "");
  }).join("");
}

function contentSchema(part) {
  return part && part.content ? Object.values(part.content)[0].schema : null;
}

function shapeDetails(title, schema) {
  return make("details", {}, make("summary", {}, title), make("pre", {}, describe(schema)));
}

function parameterField(parameter) {
  const required = parameter.required ? " *" : "";
  const input = make("input", { name: parameter.name, required: parameter.required });
  if (parameter.name === "Idempotency-Key") input.value = crypto.randomUUID();
  return make("label", {}, `${parameter.name} (${parameter.in})${required}`, input);
}

async function send(method, path, operation, form, output) {
  const values = new FormData(form);
  const query = new URLSearchParams();
  const headers = { Accept: "application/json" };
  for (const parameter of operation.parameters || []) {
    const value = values.get(parameter.name);
    if (!value) continue;
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(value));
    if (parameter.in === "query") query.set(parameter.name, value);
    if (parameter.in === "header") headers[parameter.name] = value;
  }
  const token = signIn.elements.token.value.trim();
  if (token) headers.Authorization = `Bearer ${token}`;
  const body = values.get("body");
  if (body !== null) headers["Content-Type"] = "application/json";
  const address = "." + path + (query.size ? `?${query}` : "");
  output.textContent = "…";
  try {
    const answer = await fetch(address, { method: method.toUpperCase(), headers, body: body === null ? undefined : body });
    const text = await answer.text();
    let shown = text;
    try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: shown as it is */ }
    output.textContent = `${answer.status} ${answer.statusText}\n\n${shown}`;
  } catch (error) {
    output.textContent = String(error);
  }
}

function tryForm(method, path, operation) {
  const output = make("pre", { ariaLive: "polite" });
  const form = make("form", {}, ...(operation.parameters || []).map(parameterField));
  const schema = contentSchema(operation.requestBody);
  if (schema) {
    const text = JSON.stringify(example(schema), null, 2);
    form.append(make("label", { className: "wide" }, "Body", make("textarea", { name: "body", value: text, spellcheck: false })));
  }
  form.append(make("button", {}, "Send"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(method, path, operation, form, output);
  });
  return make("details", {}, make("summary", {}, "Try it"), form, output);
}

function operationDetails(method, path, operation) {
  const details = make("details", { id: operation.operationId });
  details.append(make("summary", {}, make("b", {}, method.toUpperCase()), make("code", {}, path), ` ${operation.summary}`));
  details.addEventListener("toggle", () => {
    if (details.childElementCount > 1) return;
    const needs = operation.security ? operation["x-permission"] || `a ${operation["x-audience"]}'s sign-in` : "nothing";
    details.append(make("p", { className: "note" }, `Needs: ${needs}`));
    if (operation.description) details.append(make("p", {}, operation.description));
    const body = contentSchema(operation.requestBody);
    if (body) details.append(shapeDetails("Request body", body));
    for (const [status, response] of Object.entries(operation.responses)) {
      const schema = contentSchema(response);
      if (schema) details.append(shapeDetails(`Response ${status}`, schema));
    }
    details.append(tryForm(method, path, operation));
  });
  return details;
}

function show() {
  const byTag = new Map();
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags[0];
      if (!byTag.has(tag)) byTag.set(tag, []);
      byTag.get(tag).push(operationDetails(method, path, operation));
    }
  }
  const main = document.getElementById("operations");
  main.replaceChildren(...(api.info.description || "").split("\n\n").map((text) => make("p", {}, text)));
  for (const [tag, operations] of [...byTag].sort((a, b) => a[0].localeCompare(b[0]))) {
    document.getElementById("tags").append(make("a", { href: `#tag-${tag}` }, tag));
    main.append(make("section", { id: `tag-${tag}` }, make("h2", {}, tag), ...operations));
  }
}

signIn.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { email, password, totp_code: code, token } = signIn.elements;
  const proof = { email: email.value, password: password.value };
  if (code.value.trim()) proof.totp_code = code.value.trim();
  const answer = await fetch("./v1/auth/sessions", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(proof),
  });
  const body = await answer.json();
  who.textContent = answer.ok ? `Signed in as ${email.value}` : body.detail;
  if (answer.ok) {
    token.value = body.access_token;
    code.value = "";
  }
});

fetch("./openapi.json").then((answer) => answer.json()).then((document_) => {
  api = document_;
  show();
}).catch((error) => {
  document.getElementById("operations").textContent = `The document could not be read: ${error}`;
});
