package org.pikv4j.loader.safetensors;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.loader.json.JsonText;
import org.pikv4j.loader.json.Lines;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * The parsed header of a safetensors file. The reference implementation refuses holes and overlaps between tensors;
 * so does {@link #parse}, which leaves nothing unchecked that could make a later access leave the file.
 *
 * @param metadata the free text of {@code __metadata__}
 * @param tensors the tensors in the header's order
 */
record SafetensorsHeader(Map<String, String> metadata, List<TensorInfo> tensors) {
    /** The limit of the reference implementation. */
    static final int MAX_BYTES = 100_000_000;

    /** Not in the format, but a longer list is no tensor of a model and would only cost memory. */
    private static final int MAX_DIMENSIONS = 64;

    /** The one entry of a header that is no tensor. */
    static final String METADATA = "__metadata__";

    SafetensorsHeader {
        metadata = Map.copyOf(metadata);
        tensors = List.copyOf(tensors);
    }

    /**
     * @param file where the header comes from, for messages
     * @param json the header
     * @param dataBytes bytes of the file after the header
     * @return the header, every claim in it checked
     * @throws ModelFormatException naming the tensor at fault
     */
    static SafetensorsHeader parse(Path file, String json, long dataBytes) {
        SafetensorsHeader header;
        try (JsonParser parser = JsonText.parser(json)) {
            header = new Reader(file, parser).header();
        } catch (JacksonException e) {
            throw JsonText.malformed(file, "the header is not valid JSON", e);
        }
        checkCoverage(file, header.tensors, dataBytes);
        return header;
    }

    /** Each byte after the header belongs to exactly one tensor. */
    private static void checkCoverage(Path file, List<TensorInfo> tensors, long dataBytes) {
        List<TensorInfo> ordered = new ArrayList<>(tensors);
        ordered.sort(Comparator.comparingLong(TensorInfo::begin).thenComparingLong(TensorInfo::end));
        long covered = 0;
        String before = "";
        for (TensorInfo tensor : ordered) {
            if (tensor.end() > dataBytes) {
                throw error(
                        file,
                        tensor.name(),
                        "data_offsets end at byte " + tensor.end() + " of the data, but the file has only " + dataBytes
                                + " bytes after its header");
            }
            if (tensor.begin() < covered) {
                throw error(
                        file,
                        tensor.name(),
                        "data_offsets begin at byte " + tensor.begin() + ", inside tensor " + Lines.quote(before)
                                + " that ends at " + covered);
            }
            covered = tensor.end();
            before = tensor.name();
        }
        // Holes come second: a tensor that lies on another one leaves one where it should be.
        covered = 0;
        before = "";
        for (TensorInfo tensor : ordered) {
            if (tensor.begin() > covered) {
                throw hole(file, covered, tensor.begin(), before, tensor.name());
            }
            covered = tensor.end();
            before = tensor.name();
        }
        if (covered != dataBytes) {
            throw hole(file, covered, dataBytes, before, "");
        }
    }

    private static ModelFormatException hole(Path file, long begin, long end, String before, String after) {
        List<String> neighbours = Stream.of(before, after)
                .filter(name -> !name.isEmpty())
                .map(Lines::quote)
                .toList();
        return new ModelFormatException(
                file,
                "the bytes " + begin + " to " + (end - 1) + " behind the header belong to no tensor"
                        + (neighbours.isEmpty()
                                ? ""
                                : "; is one missing next to " + String.join(" and ", neighbours) + "?"));
    }

    private static ModelFormatException error(Path file, String tensor, String detail) {
        return new ModelFormatException(file, "tensor " + Lines.quote(tensor) + ": " + detail);
    }

    /** Walks the tokens once; no tree, as headers of large models have a hundred thousand entries. */
    private static final class Reader {
        private final Path file;
        private final JsonParser parser;

        Reader(Path file, JsonParser parser) {
            this.file = file;
            this.parser = parser;
        }

        SafetensorsHeader header() {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new ModelFormatException(file, "the header is not a JSON object");
            }
            Map<String, String> metadata = Map.of();
            List<TensorInfo> tensors = new ArrayList<>();
            while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                String name = parser.currentName();
                parser.nextToken();
                if (name.equals(METADATA)) {
                    metadata = metadata();
                } else {
                    tensors.add(tensor(name));
                }
            }
            if (parser.nextToken() != null) {
                throw new ModelFormatException(file, "the header goes on after its JSON object");
            }
            return new SafetensorsHeader(metadata, tensors);
        }

        private Map<String, String> metadata() {
            if (parser.currentToken() != JsonToken.START_OBJECT) {
                throw new ModelFormatException(file, METADATA + " is not an object");
            }
            Map<String, String> metadata = new LinkedHashMap<>();
            while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                String key = parser.currentName();
                if (parser.nextToken() != JsonToken.VALUE_STRING) {
                    throw new ModelFormatException(file, METADATA + " entry " + Lines.quote(key) + " is not a string");
                }
                metadata.put(key, parser.getString());
            }
            return metadata;
        }

        private TensorInfo tensor(String name) {
            if (parser.currentToken() != JsonToken.START_OBJECT) {
                throw error(file, name, "its entry in the header is not an object");
            }
            ElementType type = null;
            List<Long> shape = null;
            List<Long> offsets = null;
            while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                String field = parser.currentName();
                parser.nextToken();
                switch (field) {
                    case "dtype" -> type = type(name);
                    case "shape" -> shape = integers(name, field, MAX_DIMENSIONS);
                    case "data_offsets" -> offsets = integers(name, field, 2);
                    default -> parser.skipChildren();
                }
            }
            return checked(
                    name,
                    required(name, "dtype", type),
                    required(name, "shape", shape),
                    required(name, "data_offsets", offsets));
        }

        private TensorInfo checked(String name, ElementType type, List<Long> shape, List<Long> offsets) {
            if (offsets.size() != 2) {
                throw error(file, name, "data_offsets has " + offsets.size() + " numbers instead of 2");
            }
            long begin = offsets.get(0);
            long end = offsets.get(1);
            if (end < begin) {
                throw error(file, name, "data_offsets are reversed: " + offsets);
            }
            long bytes;
            try {
                bytes = type.bytes(elements(shape));
            } catch (ArithmeticException e) {
                throw error(
                        file,
                        name,
                        "shape " + shape + " of " + type
                                + " has no size: it overflows, or is no whole number of bytes");
            }
            if (bytes != end - begin) {
                throw error(
                        file,
                        name,
                        "data_offsets span " + (end - begin) + " bytes, but shape " + shape + " of " + type + " needs "
                                + bytes);
            }
            return new TensorInfo(name, type, shape, begin, end);
        }

        private ElementType type(String name) {
            if (parser.currentToken() != JsonToken.VALUE_STRING) {
                throw error(file, name, "dtype is not a string");
            }
            String spelled = parser.getString();
            return ElementType.of(spelled)
                    .orElseThrow(() -> error(file, name, "unknown dtype " + Lines.quote(spelled)));
        }

        private List<Long> integers(String name, String field, int most) {
            if (parser.currentToken() != JsonToken.START_ARRAY) {
                throw error(file, name, field + " is not a list");
            }
            List<Long> values = new ArrayList<>();
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT
                        || parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
                        || parser.getLongValue() < 0) {
                    throw error(
                            file,
                            name,
                            field + " holds "
                                    + Lines.quote(String.valueOf(
                                            parser.currentToken().isScalarValue()
                                                    ? parser.getString()
                                                    : parser.currentToken()))
                                    + ", expected integers from 0 to 2^63 - 1");
                }
                if (values.size() == most) {
                    throw error(file, name, field + " has more than " + most + " numbers");
                }
                values.add(parser.getLongValue());
            }
            return values;
        }

        private <T> T required(String name, String field, @Nullable T value) {
            if (value == null) {
                throw error(file, name, field + " is missing");
            }
            return value;
        }

        private static long elements(List<Long> shape) {
            // A zero anywhere makes the tensor empty, even where the other dimensions alone would overflow.
            if (shape.contains(0L)) {
                return 0;
            }
            long product = 1;
            for (long dim : shape) {
                product = Math.multiplyExact(product, dim);
            }
            return product;
        }
    }
}
