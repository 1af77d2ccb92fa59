import{b as a,c as b,d as c,e as d}from"./chunk-SKVO65YQ.js";export{d as actionsOf,b as rowOf,a as taskOfMessage,c as taskView};
