package org.pikv4j.loader.tokenizer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.pikv4j.loader.tokenizer.Part.Piece;

/**
 * The tokens added on top of the model's vocabulary. They are taken out of the text first, special or not; what is
 * left goes to the normalizer, and tokens that are to be found in normalized text are taken out of that.
 *
 * <p>Source: {@code added_vocabulary} of Hugging Face tokenizers, whose order of steps is kept: matches are leftmost,
 * longest and without overlap, a match that is no single word is passed over as a whole, and the white space that one
 * token swallowed to its right may still hold the next token.
 */
final class AddedVocabulary {
    private final Map<String, Integer> ids = new HashMap<>();
    private final Map<Integer, AddedToken> tokens = new HashMap<>();
    private final Set<String> special = new HashSet<>();
    private final TokenTrie raw = new TokenTrie();
    private final TokenTrie normalized = new TokenTrie();
    private final Optional<Normalizer> normalizer;
    private int largestId;

    /**
     * The ids are those of the vocabulary where it has the token, and the next free ones otherwise. The file states
     * ids as well, but the Hugging Face library does not look at them.
     *
     * @param added the tokens in the order of the file
     * @param vocabulary the model's
     * @param normalizer the normalizer, if there is one
     */
    AddedVocabulary(List<AddedToken> added, Vocabulary vocabulary, Optional<Normalizer> normalizer) {
        this.normalizer = normalizer;
        int next = vocabulary.size();
        largestId = vocabulary.largestId();
        for (AddedToken token : added) {
            if (token.content().isEmpty()) {
                continue;
            }
            int known = ids.getOrDefault(token.content(), vocabulary.id(token.content()));
            int id = known >= 0 ? known : next;
            next = Math.max(next, id + 1);
            largestId = Math.max(largestId, id);
            ids.put(token.content(), id);
            tokens.put(id, token);
            if (token.special()) {
                special.add(token.content());
            }
        }
        // Of two tokens that look alike in normalized text the special one counts.
        for (boolean wanted : new boolean[] {true, false}) {
            for (AddedToken token : added) {
                if (token.special() == wanted) {
                    index(token, ids.getOrDefault(token.content(), -1));
                }
            }
        }
    }

    private void index(AddedToken token, int id) {
        Piece content = new Piece(token.content(), true);
        String pattern = token.normalized()
                ? normalizer.map(n -> n.apply(content)).orElse(content).text()
                : token.content();
        if (!pattern.isEmpty()) {
            (token.normalized() ? normalized : raw).put(pattern, id);
        }
    }

    /**
     * @return the largest id of an added token or of the model
     */
    int largestId() {
        return largestId;
    }

    /**
     * @param token a token
     * @return its id if it is an added one
     */
    Optional<Integer> id(String token) {
        return Optional.ofNullable(ids.get(token));
    }

    /**
     * @param id an id
     * @return its token if it is an added one
     */
    Optional<String> token(int id) {
        return Optional.ofNullable(tokens.get(id)).map(AddedToken::content);
    }

    /**
     * @param token a token
     * @return whether it is special
     */
    boolean isSpecial(String token) {
        return special.contains(token);
    }

    /**
     * @param text well-formed text
     * @return the added tokens in it and, between them, the text in normal form
     */
    List<Part> extract(String text) {
        List<Part> parts = new ArrayList<>();
        for (Part part : split(new Piece(text, true), raw)) {
            switch (part) {
                case Part.Added added -> parts.add(added);
                case Piece piece ->
                    parts.addAll(split(normalizer.map(n -> n.apply(piece)).orElse(piece), normalized));
            }
        }
        return parts;
    }

    private List<Part> split(Piece piece, TokenTrie trie) {
        String text = piece.text();
        List<Part> parts = new ArrayList<>();
        int done = 0;
        for (int at = 0; at < text.length(); ) {
            TokenTrie.Match match = trie.longest(text, at);
            if (match.id() < 0) {
                at++;
                continue;
            }
            int start = at;
            int end = match.end();
            at = end;
            AddedToken token = tokens.get(match.id());
            if (token == null || token.singleWord() && touchesWord(text, start, end)) {
                continue;
            }
            if (token.stripLeft()) {
                start = Math.max(done, CodePoints.startOfSpace(text, start));
            }
            if (token.stripRight()) {
                end = CodePoints.endOfSpace(text, end);
            }
            if (done < start) {
                parts.add(piece.slice(done, start));
            }
            // Where the token before swallowed all of this one, nothing is left of it.
            if (start < end) {
                parts.add(new Part.Added(match.id()));
            }
            done = end;
        }
        if (done < text.length()) {
            parts.add(piece.slice(done, text.length()));
        }
        return parts;
    }

    private static boolean touchesWord(String text, int start, int end) {
        return start > 0 && CodePoints.isWord(text.codePointBefore(start))
                || end < text.length() && CodePoints.isWord(text.codePointAt(end));
    }
}
