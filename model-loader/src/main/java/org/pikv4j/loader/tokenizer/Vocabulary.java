package org.pikv4j.loader.tokenizer;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;

/** The tokens of a model and their ids. */
final class Vocabulary {
    private static final int DIRECT = 0x300;

    private final Map<String, Integer> ids;
    private final String[] tokens;
    /** Ids of the tokens of one character in the byte-level alphabet and near it, by character; -1 where none is. */
    private final int[] direct = new int[DIRECT];

    /**
     * @param ids ids by token; none negative, and the largest small enough for an array of that size
     */
    Vocabulary(Map<String, Integer> ids) {
        this.ids = ids;
        tokens = new String[ids.values().stream().mapToInt(id -> id + 1).max().orElse(0)];
        ids.forEach((token, id) -> tokens[id] = token);
        Arrays.setAll(direct, c -> id(Character.toString(c)));
    }

    /**
     * @return the number of tokens; ids need not be without gaps
     */
    int size() {
        return ids.size();
    }

    /**
     * @return the largest id, or -1
     */
    int largestId() {
        return tokens.length - 1;
    }

    /**
     * @param token a token
     * @return its id, or -1
     */
    int id(String token) {
        return ids.getOrDefault(token, -1);
    }

    /**
     * @param codePoint a character
     * @return the id of the token that consists of it, or -1
     */
    int id(int codePoint) {
        return codePoint < DIRECT ? direct[codePoint] : id(Character.toString(codePoint));
    }

    /**
     * @param id any id
     * @return its token, if there is one
     */
    Optional<String> token(int id) {
        return id < 0 || id >= tokens.length ? Optional.empty() : Optional.ofNullable(tokens[id]);
    }
}
