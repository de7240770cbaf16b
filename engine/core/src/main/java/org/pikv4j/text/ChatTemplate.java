package org.pikv4j.text;

import java.util.List;

/** Lays out a conversation as the prompt text that a model was trained on. */
public interface ChatTemplate {

    /**
     * @param messages the conversation so far, oldest first
     * @param addGenerationPrompt whether to end with what comes before the assistant's answer
     * @return the prompt, special tokens spelled out; encode it without adding special tokens
     * @throws org.pikv4j.error.ChatTemplateException if the template refuses the conversation or fails at it
     */
    String render(List<ChatMessage> messages, boolean addGenerationPrompt);
}
