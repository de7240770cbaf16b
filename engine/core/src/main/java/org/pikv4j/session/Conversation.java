package org.pikv4j.session;

import java.util.ArrayList;
import java.util.List;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.model.LoadedModel;
import org.pikv4j.text.ChatMessage;
import org.pikv4j.text.ChatTemplate;

/**
 * A conversation of several turns over one session, laid out by the model's chat template. What the cache knows of earlier
 * turns is kept: only what a turn adds is read. Same rules about threads as {@link Session}.
 */
public final class Conversation {
    private final LoadedModel model;
    private final Session session;
    private final ChatTemplate template;
    private final List<ChatMessage> messages = new ArrayList<>();

    /**
     * @param model the session's model
     * @param session an empty session; the caller closes it
     * @throws InvalidOptionException if the model has no chat template
     */
    public Conversation(LoadedModel model, Session session) {
        this.model = model;
        this.session = session;
        this.template = model.chatTemplate()
                .orElseThrow(() -> new InvalidOptionException(
                        model.directory() + " has no chat template; use a plain prompt instead of a conversation"));
    }

    /**
     * Adds a message that asks for no answer, for instance {@code system}.
     *
     * @param message the message
     */
    public void add(ChatMessage message) {
        messages.add(message);
    }

    /**
     * Adds a user's message and generates the answer, which becomes part of the conversation. When generating fails, the
     * conversation is as before.
     *
     * @param text what the user says
     * @param options how to answer
     * @param listener hears of the answer as it comes
     * @return the answer
     */
    public GenerationResult say(String text, GenerationOptions options, GenerationListener listener) {
        messages.add(new ChatMessage("user", text));
        try {
            int[] prompt = model.tokenizer().encode(template.render(List.copyOf(messages), true), false);
            GenerationResult result = session.regenerate(prompt, options, listener);
            messages.add(new ChatMessage("assistant", result.text().strip()));
            return result;
        } catch (RuntimeException e) {
            messages.removeLast();
            throw e;
        }
    }

    /**
     * @return the messages so far, oldest first
     */
    public List<ChatMessage> messages() {
        return List.copyOf(messages);
    }
}
