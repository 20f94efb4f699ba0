// Signs documents with @libpdf/core, an independent producer, in the directory that is given: key.p12 by its certificates
// and lists, timestamps by openssl. Writes one file a level, and files with a second signature.
import { P12Signer, PDF, rgb } from "@libpdf/core";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const dir = process.argv[2];
const read = (name) => new Uint8Array(readFileSync(join(dir, name)));

const timestampAuthority = {
  async timestamp(digest) {
    const run = (...args) => execFileSync("openssl", ["ts", ...args], { cwd: dir, stdio: "pipe" });
    run("-query", "-digest", Buffer.from(digest).toString("hex"), "-sha256", "-cert", "-out", "q.tsq");
    run("-reply", "-config", "tsa.cnf", "-section", "tsa", "-queryfile", "q.tsq", "-token_out", "-out", "q.tst");
    return read("q.tst");
  },
};
const above = Buffer.from(read("issuing.der"));
const revocationProvider = {
  async getOCSP() {
    return null;
  },
  async getCRL(certificate) {
    return Buffer.compare(Buffer.from(certificate), above) === 0 ? read("root.crl") : read("issuing.crl");
  },
};

const fresh = PDF.create();
fresh.addPage({ size: "a4" }).drawText("Work order", { x: 50, y: 700, fontSize: 18, color: rgb(0, 0, 0) });
const base = await fresh.save();
const signer = await P12Signer.create(read("key.p12"), "test");

async function sign(name, document, options) {
  const pdf = await PDF.load(document);
  const { bytes } = await pdf.sign({ signer, reason: "Agreed", ...options });
  writeFileSync(join(dir, name + ".pdf"), bytes);
  return bytes;
}

const one = await sign("B-B", base, { level: "B-B" });
await sign("B-T", base, { level: "B-T", timestampAuthority });
await sign("B-LT", base, { level: "B-LT", timestampAuthority, revocationProvider });
await sign("B-LTA", base, { level: "B-LTA", timestampAuthority, revocationProvider });
await sign("legacy", base, { subFilter: "adbe.pkcs7.detached" });
await sign("two", one, { level: "B-LTA", fieldName: "second", timestampAuthority, revocationProvider });
