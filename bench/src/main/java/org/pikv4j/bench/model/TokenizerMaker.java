package org.pikv4j.bench.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Grows a byte-level BPE tokenizer to a given vocabulary: what it had keeps its ids, and merges of letters are added until
 * there are enough tokens.
 */
public final class TokenizerMaker {
    private static final ObjectMapper JSON = JsonMapper.shared();

    private TokenizerMaker() {}

    /**
     * @param tokenizer a {@code tokenizer.json} whose model is byte-pair encoding
     * @param vocabulary tokens wanted, at least as many as it has
     * @return the content of the larger one
     * @throws IOException if it cannot be read
     */
    public static String grow(Path tokenizer, int vocabulary) throws IOException {
        ObjectNode root = (ObjectNode) JSON.readTree(Files.readString(tokenizer));
        ObjectNode model = (ObjectNode) root.get("model");
        Map<String, Integer> ids = new LinkedHashMap<>();
        TreeMap<Integer, String> byId = new TreeMap<>();
        model.get("vocab")
                .properties()
                .forEach(entry -> byId.put(entry.getValue().asInt(), entry.getKey()));
        byId.forEach((id, token) -> ids.put(token, id));
        List<List<String>> merges = new ArrayList<>();
        for (JsonNode merge : model.get("merges")) {
            merges.add(List.of(merge.get(0).asString(), merge.get(1).asString()));
        }
        // Words grow letter by letter: each new token is an old one and a letter.
        List<String> words = new ArrayList<>(
                ids.keySet().stream().filter(token -> token.matches("Ġ?[a-z]*")).toList());
        for (int w = 0; w < words.size() && ids.size() < vocabulary; w++) {
            for (char letter = 'a'; letter <= 'z' && ids.size() < vocabulary; letter++) {
                String token = words.get(w) + letter;
                if (ids.putIfAbsent(token, ids.size()) == null) {
                    merges.add(List.of(words.get(w), String.valueOf(letter)));
                    words.add(token);
                }
            }
        }
        model.set("vocab", JSON.valueToTree(ids));
        model.set("merges", JSON.valueToTree(merges));
        return JSON.writeValueAsString(root);
    }
}
