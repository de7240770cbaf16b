package org.pikv4j.loader;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Function;
import org.pikv4j.loader.safetensors.RawTensor;
import org.pikv4j.loader.safetensors.SafetensorsFile;
import org.pikv4j.loader.safetensors.SafetensorsWriter;
import org.pikv4j.loader.safetensors.TensorDeclaration;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Makes variants of the fixtures in a temporary directory. */
final class TestModels {
    private static final JsonMapper JSON = new JsonMapper();

    private TestModels() {}

    /** Copies a fixture's configuration and weights. */
    static Path copy(String fixture, Path to) throws IOException {
        for (String file : new String[] {"config.json", "model.safetensors"}) {
            Files.copy(
                    Fixtures.checkpoint(fixture).resolve(file), to.resolve(file), StandardCopyOption.REPLACE_EXISTING);
        }
        return to;
    }

    /** Writes a fixture's configuration with a change. */
    static Path config(String fixture, Path to, Consumer<ObjectNode> change) throws IOException {
        ObjectNode config = (ObjectNode)
                JSON.readTree(Files.readString(Fixtures.checkpoint(fixture).resolve("config.json")));
        change.accept(config);
        Files.writeString(to.resolve("config.json"), JSON.writeValueAsString(config));
        return to;
    }

    /** Writes a fixture's tensors with a change to the map of them. */
    static Path weights(String fixture, Path to, Consumer<Map<String, RawTensor>> change) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            Map<String, RawTensor> tensors = read(fixture, arena);
            change.accept(tensors);
            write(to.resolve("model.safetensors"), tensors);
        }
        return to;
    }

    /** Writes a fixture's tensors as shards, each tensor into the file that a function names for it. */
    static Path shards(String fixture, Path to, Function<String, String> shardOf) throws IOException {
        Map<String, Map<String, RawTensor>> shards = new TreeMap<>();
        ObjectNode index = JSON.createObjectNode();
        ObjectNode weightMap = index.putObject("weight_map");
        try (Arena arena = Arena.ofConfined()) {
            read(fixture, arena).forEach((name, tensor) -> {
                weightMap.put(name, shardOf.apply(name));
                shards.computeIfAbsent(shardOf.apply(name), _ -> new LinkedHashMap<>())
                        .put(name, tensor);
            });
            for (Map.Entry<String, Map<String, RawTensor>> shard : shards.entrySet()) {
                write(to.resolve(shard.getKey()), shard.getValue());
            }
        }
        Files.writeString(to.resolve("model.safetensors.index.json"), JSON.writeValueAsString(index));
        Files.copy(Fixtures.checkpoint(fixture).resolve("config.json"), to.resolve("config.json"));
        return to;
    }

    private static Map<String, RawTensor> read(String fixture, Arena arena) {
        SafetensorsFile file = SafetensorsFile.map(Fixtures.checkpoint(fixture).resolve("model.safetensors"), arena);
        Map<String, RawTensor> tensors = new LinkedHashMap<>();
        file.names().forEach(name -> tensors.put(name, file.require(name)));
        return tensors;
    }

    private static void write(Path file, Map<String, RawTensor> tensors) throws IOException {
        List<TensorDeclaration> declarations = new ArrayList<>();
        tensors.forEach((name, tensor) -> declarations.add(new TensorDeclaration(name, tensor.type(), tensor.shape())));
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, declarations, Map.of("format", "pt"))) {
            for (RawTensor tensor : tensors.values()) {
                writer.write(tensor.data());
            }
            writer.finish();
        }
    }
}
