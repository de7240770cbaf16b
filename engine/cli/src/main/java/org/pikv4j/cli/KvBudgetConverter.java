package org.pikv4j.cli;

import org.pikv4j.cache.scheduling.KvBudget;
import org.pikv4j.error.InvalidOptionException;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads budgets such as {@code 512MiB} and {@code 1024tok}. */
public final class KvBudgetConverter implements ITypeConverter<KvBudget> {
    @Override
    public KvBudget convert(String value) {
        try {
            return KvBudget.parse(value);
        } catch (InvalidOptionException e) {
            throw new TypeConversionException(String.valueOf(e.getMessage()));
        }
    }
}
