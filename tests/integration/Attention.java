import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import loyalty.flume.AttentiveSinkProcessor;
import org.apache.flume.Context;
import org.apache.flume.EventDeliveryException;
import org.apache.flume.Sink;
import org.apache.flume.sink.AbstractSink;

/**
 * AttentiveSinkProcessor over a sink that answers what the arguments say, one after the other;
 * prints what it answers to the runner, and how many ms that took.
 */
public class Attention {
    public static void main(String[] arguments) {
        Queue<String> answers = new ArrayDeque<>(List.of(arguments));
        AttentiveSinkProcessor processor = new AttentiveSinkProcessor();
        processor.setSinks(List.of(new AbstractSink() {
            @Override
            public Sink.Status process() throws EventDeliveryException {
                String answer = answers.remove();
                if (answer.equals("FAILED")) {
                    throw new EventDeliveryException("no HBase");
                }
                return Sink.Status.valueOf(answer);
            }
        }));
        processor.configure(new Context(Map.of("pauseStep", "40", "pauseMost", "100")));
        while (!answers.isEmpty()) {
            long begun = System.nanoTime();
            String said;
            try {
                said = processor.process().name();
            } catch (EventDeliveryException failed) {
                said = failed.getMessage().replace(' ', '_');
            }
            System.out.println(said + " " + (System.nanoTime() - begun) / 1_000_000);
        }
    }
}
