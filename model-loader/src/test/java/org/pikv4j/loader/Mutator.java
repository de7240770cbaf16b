package org.pikv4j.loader;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Damages files: blindly, byte by byte, and knowingly, as JSON that still parses but lies. */
final class Mutator {
    private static final JsonMapper JSON = new JsonMapper();
    private static final Pattern NUMBER = Pattern.compile("-?\\d+(\\.\\d+)?(e-?\\d+)?");

    private static final List<String> VALUES = List.of(
            "0",
            "-1",
            "1",
            "2",
            "3",
            "-0.0",
            "0.5",
            "1e-320",
            "1e308",
            "1e999",
            "NaN",
            "-Infinity",
            "127",
            "65536",
            "2147483647",
            "2147483648",
            "-2147483648",
            "4611686018427387904",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551616",
            "9".repeat(300),
            "9".repeat(2000),
            "null",
            "true",
            "false",
            "\"\"",
            "\"F32\"",
            "\"I64\"",
            "\"F4\"",
            "\"\\ud800\"",
            "\"\\u0000\"",
            "\"../x\"",
            "\"sliding_attention\"",
            "\"yarn\"",
            "[]",
            "{}",
            "[0,0]",
            "[9223372036854775807,9223372036854775807]",
            "[0,9223372036854775807,9223372036854775807]",
            "{\"rope_type\":\"linear\"}");

    private static final List<String> TOKENS = List.of(
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "\\",
            "//",
            "\u0000",
            "\n",
            "\uffff",
            "é",
            "\"a\":",
            "[".repeat(3000),
            "{\"a\":".repeat(3000),
            " ".repeat(10_000),
            "\"" + "x".repeat(60_000) + "\"");

    private final Random random;

    Mutator(Random random) {
        this.random = random;
    }

    /** A safetensors file, damaged: its length field, its header, its body, or several. */
    byte[] safetensors(byte[] file) {
        int headerBytes =
                (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
        byte[] header = Arrays.copyOfRange(file, 8, 8 + headerBytes);
        byte[] body = Arrays.copyOfRange(file, 8 + headerBytes, file.length);
        switch (random.nextInt(8)) {
            case 0 -> header = bytes(header);
            case 1, 2, 3 -> header = utf8(json(new String(header, StandardCharsets.UTF_8)));
            case 4 -> header = utf8(tokens(new String(header, StandardCharsets.UTF_8)));
            case 5 -> body = resized(body);
            case 6 -> {
                return lengthField(file);
            }
            default -> {
                return bytes(file);
            }
        }
        return ByteBuffer.allocate(8 + header.length + body.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(header.length)
                .put(header)
                .put(body)
                .array();
    }

    /** A JSON file, damaged. */
    byte[] jsonFile(byte[] file) {
        String text = new String(file, StandardCharsets.UTF_8);
        return switch (random.nextInt(6)) {
            case 0 -> bytes(file);
            case 1 -> utf8(tokens(text));
            default -> utf8(json(text));
        };
    }

    private byte[] bytes(byte[] file) {
        byte[] damaged = random.nextInt(4) == 0 ? resized(file) : file.clone();
        for (int i = random.nextInt(4); i >= 0 && damaged.length > 0; i--) {
            damaged[random.nextInt(damaged.length)] = (byte) (random.nextBoolean() ? random.nextInt(256) : 1 << i);
        }
        return damaged;
    }

    private byte[] resized(byte[] file) {
        return Arrays.copyOf(
                file, random.nextBoolean() ? random.nextInt(file.length + 1) : file.length + random.nextInt(99));
    }

    private byte[] lengthField(byte[] file) {
        long[] lengths = {
            0, 1, -1, Long.MIN_VALUE, Long.MAX_VALUE, 100_000_000, 100_000_001, file.length, file.length - 8
        };
        byte[] damaged = file.clone();
        ByteBuffer.wrap(damaged).order(ByteOrder.LITTLE_ENDIAN).putLong(lengths[random.nextInt(lengths.length)]);
        return damaged;
    }

    private String tokens(String text) {
        StringBuilder damaged = new StringBuilder(text);
        for (int i = random.nextInt(3); i >= 0; i--) {
            int at = random.nextInt(damaged.length() + 1);
            switch (random.nextInt(3)) {
                case 0 -> damaged.insert(at, pick(TOKENS));
                case 1 -> damaged.insert(at, pick(VALUES));
                default -> damaged.delete(at, Math.min(damaged.length(), at + random.nextInt(20)));
            }
        }
        return damaged.toString();
    }

    private String json(String text) {
        if (random.nextInt(4) == 0) {
            return number(text);
        }
        JsonNode tree = JSON.readTree(text);
        for (int i = random.nextInt(3); i >= 0; i--) {
            List<JsonNode> containers = new ArrayList<>();
            collect(tree, containers);
            change(containers.get(random.nextInt(containers.size())), tree);
        }
        // Values that no tree can hold, such as 1e999, stand in it as marked strings.
        return JSON.writeValueAsString(tree).replaceAll("\"RAW(\\d+)\"", "@$1@").transform(this::unmark);
    }

    private String unmark(String text) {
        Matcher matcher = Pattern.compile("@(\\d+)@").matcher(text);
        return matcher.replaceAll(
                match -> Matcher.quoteReplacement(VALUES.get(Integer.parseInt(match.group(1)) % VALUES.size())));
    }

    private String number(String text) {
        List<int[]> places = new ArrayList<>();
        for (Matcher m = NUMBER.matcher(text); m.find(); ) {
            places.add(new int[] {m.start(), m.end()});
        }
        if (places.isEmpty()) {
            return text;
        }
        int[] place = places.get(random.nextInt(places.size()));
        return text.substring(0, place[0]) + pick(VALUES) + text.substring(place[1]);
    }

    private static void collect(JsonNode node, List<JsonNode> containers) {
        if (node.isContainer()) {
            containers.add(node);
            node.forEach(inner -> collect(inner, containers));
        }
    }

    private void change(JsonNode container, JsonNode tree) {
        JsonNode value = random.nextInt(4) == 0
                ? anywhere(tree)
                : JSON.getNodeFactory().stringNode("RAW" + random.nextInt(VALUES.size()));
        switch (container) {
            case ObjectNode object
            when !object.isEmpty() -> {
                List<String> names = new ArrayList<>(object.propertyNames());
                String name = names.get(random.nextInt(names.size()));
                switch (random.nextInt(4)) {
                    case 0 -> object.remove(name);
                    case 1 -> object.set(names.get(random.nextInt(names.size())) + random.nextInt(2), value);
                    default -> object.set(name, value);
                }
            }
            case ArrayNode array
            when !array.isEmpty() -> {
                switch (random.nextInt(3)) {
                    case 0 -> array.remove(random.nextInt(array.size()));
                    case 1 -> array.insert(random.nextInt(array.size() + 1), value);
                    default -> array.set(random.nextInt(array.size()), value);
                }
            }
            case ArrayNode array -> array.add(value);
            default -> {}
        }
    }

    private JsonNode anywhere(JsonNode tree) {
        List<JsonNode> containers = new ArrayList<>();
        collect(tree, containers);
        return containers.get(random.nextInt(containers.size())).deepCopy();
    }

    private String pick(List<String> choices) {
        return choices.get(random.nextInt(choices.size()));
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
