"""A worker of pbt in plain Python, written from docs/protocol.md alone.  Its score
rises by 1 a step where lr is 0.1, by less elsewhere.  command: [python3, client.py]"""
import json, os, select, socket, time  # noqa: E401

pbt = socket.socket(fileno=int(os.environ['PBT_FD']))
pbt.set_inheritable(False)
commands = pbt.makefile('rb', buffering=0)
model, config = {'score': 0.0}, {}
epoch = seq = iteration = until = total = 0


def say(kind, **members):
    pbt.sendall((json.dumps({'type': kind, **members}) + '\n').encode())


def obey(command, running):
    global model, config, epoch, seq, iteration, until, total
    kind = command['type']
    if kind in ('start', 'load'):
        epoch, seq, total = int(command['epoch']), 0, command['time_total_s']
        iteration = until = command['iteration']
        if command['checkpoint'] is not None:  # first the weights,
            with open(command['checkpoint'] + '/model.json') as file:
                model = json.load(file)
        config = command['config']  # then the hyperparameters
        say('ready', epoch=epoch, iteration=iteration, config=config,
            checkpoint=command['checkpoint'])
    elif int(command['epoch']) < epoch:
        return  # meant for an older life
    elif kind == 'run' and command['until'] > iteration:
        until = command['until']
    elif kind == 'save':
        with open(command['path'] + '/model.json', 'w') as file:
            json.dump(model, file)
        say('saved', epoch=epoch, iteration=iteration)
    elif kind == 'halt':
        until = iteration
        if not running:  # else the result of this step is the answer
            say('halted', epoch=epoch, iteration=iteration)
    elif kind == 'stop':
        raise SystemExit(0)


say('hello', protocol=1, client='client.py', capabilities=['reset_config'],
    pid=os.getpid(), host=socket.gethostname())
while True:
    running, begin = iteration < until, time.monotonic()
    if running:
        model['score'] += max(0.0, 1 - abs(config['lr'] / 0.1 - 1))
    seconds = time.monotonic() - begin
    while select.select([pbt], [], [], 0 if running or iteration < until else None)[0]:
        line = commands.readline()
        if not line:
            os._exit(1)  # pbt is gone
        obey(json.loads(line), running)
    if running:
        iteration, seq, total = iteration + 1, seq + 1, total + seconds
        say('result', epoch=epoch, seq=seq, iteration=iteration, metrics=model,
            halted=iteration >= until, time_this_iter_s=seconds, time_total_s=total)
