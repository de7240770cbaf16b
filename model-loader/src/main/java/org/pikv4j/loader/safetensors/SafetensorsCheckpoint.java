package org.pikv4j.loader.safetensors;

import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.DoubleConsumer;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.loader.json.Fields;
import org.pikv4j.loader.json.JsonText;
import org.pikv4j.loader.json.Lines;

/**
 * The tensors of a model's directory: {@code model.safetensors}, or else the shards that
 * {@code model.safetensors.index.json} lists.
 */
public final class SafetensorsCheckpoint {
    /** The name of a checkpoint in one file. */
    public static final String SINGLE = "model.safetensors";

    /** The name of the index of a checkpoint in shards. */
    public static final String INDEX = "model.safetensors.index.json";

    private static final int MAX_INDEX_BYTES = 100_000_000;

    private SafetensorsCheckpoint() {}

    /**
     * @param directory the model's directory
     * @param arena owns the mappings
     * @param progress called with the share of the files mapped, 0 to 1
     * @return its tensors
     * @throws ModelFormatException if a file is missing or damaged
     */
    public static TensorSource open(Path directory, Arena arena, DoubleConsumer progress) {
        Path single = directory.resolve(SINGLE);
        Path index = directory.resolve(INDEX);
        if (Files.exists(single)) {
            SafetensorsFile file = SafetensorsFile.map(single, arena);
            progress.accept(1);
            return file;
        }
        if (Files.exists(index)) {
            return Sharded.open(index, arena, progress);
        }
        String other = Files.exists(directory.resolve("pytorch_model.bin"))
                ? "; pytorch_model.bin is not read, convert it to safetensors"
                : "";
        throw new ModelFormatException(directory, "neither " + SINGLE + " nor " + INDEX + " is there" + other);
    }

    /** Tensors spread over files as the index says. */
    private record Sharded(Path listing, Map<String, RawTensor> tensors, long mappedBytes) implements TensorSource {

        static Sharded open(Path index, Arena arena, DoubleConsumer progress) {
            Fields weightMap = JsonText.object(index, MAX_INDEX_BYTES)
                    .object("weight_map")
                    .orElseThrow(() -> new ModelFormatException(index, "weight_map is missing"));
            Map<String, List<String>> tensorsByShard = new LinkedHashMap<>();
            for (String name : weightMap.names()) {
                String shard = weightMap.string(name).orElseThrow(() -> weightMap.missing(name));
                if (!isPlainFileName(shard)) {
                    throw weightMap.error(name, "names the shard " + Lines.quote(shard) + ", which is no file name");
                }
                tensorsByShard.computeIfAbsent(shard, _ -> new ArrayList<>()).add(name);
            }
            Map<String, RawTensor> tensors = new LinkedHashMap<>();
            long bytes = 0;
            int mapped = 0;
            for (Map.Entry<String, List<String>> shard : tensorsByShard.entrySet()) {
                SafetensorsFile file =
                        map(index, shard.getKey(), shard.getValue().getFirst(), arena);
                for (String name : shard.getValue()) {
                    tensors.put(
                            name,
                            file.find(name)
                                    .orElseThrow(() -> new ModelFormatException(
                                            file.listing(),
                                            "tensor " + Lines.quote(name) + " is missing, though " + INDEX
                                                    + " says it is here")));
                }
                bytes += file.mappedBytes();
                progress.accept((double) ++mapped / tensorsByShard.size());
            }
            return new Sharded(index, Collections.unmodifiableMap(tensors), bytes);
        }

        private static SafetensorsFile map(Path index, String shard, String tensor, Arena arena) {
            Path file;
            try {
                file = index.resolveSibling(shard);
            } catch (InvalidPathException e) {
                throw new ModelFormatException(
                        index, "the shard " + Lines.quote(shard) + " has a name that this system cannot spell", e);
            }
            if (!Files.exists(file)) {
                throw new ModelFormatException(
                        index, "the shard " + Lines.quote(shard) + " of tensor " + Lines.quote(tensor) + " is missing");
            }
            return SafetensorsFile.map(file, arena);
        }

        /** An index must not lead out of the model's directory. */
        private static boolean isPlainFileName(String name) {
            return !name.isEmpty()
                    && !name.equals(".")
                    && !name.equals("..")
                    && name.chars().noneMatch(c -> c == '/' || c == '\\' || c == ':' || Character.isISOControl(c))
                    && name.codePoints().noneMatch(c -> Character.getType(c) == Character.SURROGATE);
        }

        @Override
        public Set<String> names() {
            return tensors.keySet();
        }

        @Override
        public Optional<RawTensor> find(String name) {
            return Optional.ofNullable(tensors.get(name));
        }
    }
}
