// SPDX-License-Identifier: Apache-2.0

// libFuzzer: the decoder of YAML graphs, with what shows its diagnostics. From the top of the tree, with B a directory for what
// is built:
//
//     F="swiftc -O -wmo -swift-version 6 -sanitize=fuzzer,address -parse-as-library -I $B -Xcc -fmodule-map-file=Sources/CYAML/module.modulemap"
//     $F -emit-module -emit-module-path $B/Values.swiftmodule -module-name Values -c Sources/Values/*.swift -o $B/Values.o
//     $F -emit-module -emit-module-path $B/Diagnostics.swiftmodule -module-name Diagnostics -c Sources/Diagnostics/*.swift -o $B/Diagnostics.o
//     $F -emit-module -emit-module-path $B/Graph.swiftmodule -module-name Graph -c Sources/Graph/*.swift -o $B/Graph.o
//     $F -module-name YAMLGraphFuzz Sources/Frontends/FrontendGraph.swift Sources/Frontends/YAML/*.swift \
//       Tests/FrontendsTests/TestCatalog.swift Tests/Fuzz/yaml_graph.swift $B/Values.o $B/Diagnostics.o $B/Graph.o \
//       -Xlinker -l:libyaml.a -o $B/yaml-fuzz
//     mkdir -p $B/corpus && $B/yaml-fuzz -max_total_time=60 -max_len=4096 -timeout=5 $B/corpus examples/yaml

import Diagnostics
import Values

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzYAMLGraph(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  var diagnostics: [Diagnostic] = []
  switch YAMLGraphDecoder.decode(bytes: bytes, file: "fuzz", catalog: TestCatalog()) {
  case .success(let result):
    precondition(result.graph.check().isEmpty, "a graph was accepted that cannot be run")
    diagnostics = result.warnings
    let catalog = TestCatalog()
    precondition(result.graph.checkTransfers(catalog: catalog).isEmpty, "a transfer was accepted that cannot be")
    precondition(result.graph.resources.allSatisfy { $0.meta.problem == nil }, "meta parameters that do not go together")
    for resource in result.graph.resources {
      let parameters = catalog.schema(of: resource.id.kind)?.parameters ?? []
      precondition(parameters.count == resource.parameters.count, "parameters are not those of the schema")
      precondition(zip(parameters, resource.parameters).allSatisfy { $0.type.admits($1) }, "a value is not of its type")
    }
  case .failure(let error):
    precondition(!error.diagnostics.isEmpty, "a graph was refused without a reason")
    diagnostics = error.diagnostics
  }
  for diagnostic in diagnostics {
    precondition(TextRenderer(width: 80).render(diagnostic).utf8.allSatisfy { $0 >= 0x20 || $0 == 0x0a }, "a control character")
    precondition(!diagnostic.jsonObject.contains("\n"), "more than one line")
  }
  return 0
}
