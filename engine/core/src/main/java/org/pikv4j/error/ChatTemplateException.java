package org.pikv4j.error;

/** A model's chat template cannot lay out a conversation: it refuses it, or fails at it. */
public final class ChatTemplateException extends PiKVException {
    private static final long serialVersionUID = 1L;

    /**
     * @param message the template's file, the line in it, and what it says; one line
     * @param cause what the template's interpreter says
     */
    public ChatTemplateException(String message, Throwable cause) {
        super(message, cause);
    }
}
