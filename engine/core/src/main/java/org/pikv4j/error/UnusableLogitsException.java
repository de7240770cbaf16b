package org.pikv4j.error;

/** The model computed what is no number, so that no token is likelier than another: its weights are damaged. */
public final class UnusableLogitsException extends PiKVException {
    private static final long serialVersionUID = 1L;

    /** Names the likely cause. */
    public UnusableLogitsException() {
        super("the model's logits are not numbers (NaN): its weights are damaged, or overflow");
    }
}
