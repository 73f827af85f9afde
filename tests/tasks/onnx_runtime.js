// Runs .onnx files in ONNX Runtime: node onnx_runtime.js JOBS.json, a list of {model, inputs}, where
// inputs and results are arrays {type, shape, numbers} by name. Results are printed, a list too.
const fs = require("fs");
const { InferenceSession, Tensor } = require("onnxruntime-node");

function tensorOf({ type, shape, numbers }) {
  const data = type === "int64" ? BigInt64Array.from(numbers, BigInt) : Float32Array.from(numbers);
  return new Tensor(type, data, shape);
}

async function run({ model, inputs }) {
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const feeds = {};
  for (const [name, array] of Object.entries(inputs)) feeds[name] = tensorOf(array);
  const results = {};
  for (const [name, tensor] of Object.entries(await session.run(feeds)))
    results[name] = { type: tensor.type, shape: tensor.dims, numbers: Array.from(tensor.data, Number) };
  return results;
}

async function main() {
  const all = [];
  for (const job of JSON.parse(fs.readFileSync(process.argv[2]))) all.push(await run(job));
  console.log(JSON.stringify(all));
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
