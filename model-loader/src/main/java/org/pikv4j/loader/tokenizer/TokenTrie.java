package org.pikv4j.loader.tokenizer;

import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

/** Finds the longest of a set of tokens at a place of a text, in time proportional to the longest token. */
final class TokenTrie {
    private final Node root = new Node();
    private final BitSet firstCharacters = new BitSet();

    private static final class Node {
        final Map<Character, Node> children = new HashMap<>();
        int id = -1;
    }

    /** A token found: where it ends, and its id. */
    record Match(int end, int id) {
        static final Match NONE = new Match(-1, -1);
    }

    /**
     * The first of two equal tokens counts.
     *
     * @param token not empty
     * @param id its id
     */
    void put(String token, int id) {
        firstCharacters.set(token.charAt(0));
        Node node = root;
        for (int i = 0; i < token.length(); i++) {
            node = node.children.computeIfAbsent(token.charAt(i), c -> new Node());
        }
        if (node.id < 0) {
            node.id = id;
        }
    }

    /**
     * @param text a text
     * @param start a place in it
     * @return the longest token that begins there, or {@link Match#NONE}
     */
    Match longest(String text, int start) {
        if (!firstCharacters.get(text.charAt(start))) {
            return Match.NONE;
        }
        Match longest = Match.NONE;
        Node node = root;
        for (int at = start; at < text.length(); at++) {
            Node child = node.children.get(text.charAt(at));
            if (child == null) {
                break;
            }
            node = child;
            if (node.id >= 0) {
                longest = new Match(at + 1, node.id);
            }
        }
        return longest;
    }
}
