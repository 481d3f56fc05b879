"""The tables as the .proto files declare them, read as a stranger would."""
import glob
import os
import subprocess
import tempfile

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from private_pg import ROOT

HEADER = {"county": "integer", "rec_id": "uuid", "owner_school": "text", "other_school": "text", "ver": "bigint", "gver": "ARRAY",
          "deleted": "boolean", "nkey": "text", "ext": "bytea"}
BY_CHECK = {"date": "date", "time": "timestamp with time zone", "uuid": "uuid", "ref": "uuid"}
BY_TYPE = {9: "text", 12: "bytea", 5: "integer", 3: "bigint", 8: "boolean"}


def declarations():
    """{table: {column: type}} from the descriptor set, read as a stranger would."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "all.ds")
        subprocess.run(["protoc", "-I", ROOT + "/proto", "-I", "/usr/include", "--include_imports", "--descriptor_set_out=" + path,
                        *glob.glob(ROOT + "/proto/jingguan/v1/*.proto")], check=True)
        files = descriptor_pb2.FileDescriptorSet.FromString(open(path, "rb").read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    factory = message_factory.MessageFactory(pool)

    def option(holder, kind, name):
        parsed = factory.GetPrototype(pool.FindMessageTypeByName("google.protobuf." + kind)).FromString(holder.options.SerializeToString())
        extension = pool.FindExtensionByName("jingguan.v1." + name)
        return parsed.Extensions[extension] if parsed.HasExtension(extension) else None

    tables, kinds = {}, []
    for message in (m for f in files.file if f.package == "jingguan.v1" for m in f.message_type):
        kind = option(message, "MessageOptions", "kind")
        if kind is None:
            continue
        columns = {f.name: BY_CHECK.get(option(f, "FieldOptions", "rule").check.partition(":")[0], BY_TYPE[f.type]) for f in message.field}
        tables[kind.table] = {**HEADER, **columns}
        kinds.append(kind)
    return tables, kinds
